package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.swav4j.data.DataSpec.Kind;

class DataSpecTest {

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"shapes:77", "folder:a/b c", "idx:d", "cifar10:d", "cifar100:x:y"})
  void textIsReadAndWrittenAlike(String text) {
    DataSpec spec = DataSpec.parse(text);
    assertThat(spec).hasToString(text);
    assertThat(DataSpec.parse(spec.toString())).isEqualTo(spec);
  }

  @Test
  void shapesHaveADefaultSize() {
    assertThat(DataSpec.parse("shapes")).hasToString("shapes:10000");
    assertThat(DataSpec.parse("shapes:100").open().train().size()).isEqualTo(100);
  }

  @Test
  void aBareDirectoryIsRecognisedByItsContent() {
    TestImages.write(directory.resolve("m/train-images-idx3-ubyte.gz"), new byte[1]);
    TestImages.write(directory.resolve("c/data_batch_1.bin"), new byte[1]);
    TestImages.write(directory.resolve("h/train.bin"), new byte[1]);
    TestImages.write(directory.resolve("f/a.png"), new byte[1]);
    assertThat(kind("m")).isEqualTo(Kind.IDX);
    assertThat(kind("c")).isEqualTo(Kind.CIFAR10);
    assertThat(kind("h")).isEqualTo(Kind.CIFAR100);
    assertThat(kind("f")).isEqualTo(Kind.FOLDER);
  }

  private Kind kind(String name) {
    DataSpec spec = DataSpec.parse(directory.resolve(name).toString());
    assertThat(spec.directory()).isEqualTo(directory.resolve(name));
    return spec.kind();
  }

  @Test
  void channelsAreConvertedWhereAskedFor() throws Exception {
    TestImages.write(directory.resolve("train-images-idx3-ubyte"), IdxSourceTest.images(1));
    DataSpec idx = DataSpec.parse("idx:" + directory);
    assertThat(idx.open().train().channels()).isEqualTo(1);
    assertThat(idx.open(3).train().read(0, 1).pixels()).startsWith(0, 0, 0, 1, 1, 1, 2);
    TestImages.write(directory.resolve("f/a.png"), TestImages.png(2, 2, 0xff00ff00, 0xff00ff00));
    DataSpec folder = DataSpec.parse("folder:" + directory.resolve("f"));
    assertThat(folder.open().train().channels()).isEqualTo(3);
    assertThat(folder.open(1).train().read(0, 1).pixels()[0]).isEqualTo((byte) 150);
    Image shape = DataSpec.parse("shapes:1").open(1).train().read(0, 1);
    Image original = DataSpec.parse("shapes:1").open().train().read(0, 1);
    assertThat(shape).hasToString("48x48x1");
    byte[] rgb = original.pixels();
    double luma = 0.299 * (rgb[0] & 255) + 0.587 * (rgb[1] & 255) + 0.114 * (rgb[2] & 255);
    assertThat(shape.pixels()[0] & 255).isEqualTo((int) Math.round(luma));
  }

  @ParameterizedTest
  @ValueSource(strings = {"imagenet", "cifar:/data", "no/such/directory", "Shapes", "mnist:x"})
  void whatIsNoneOfTheFormsIsToldWhichThereAre(String text) {
    assertThatThrownBy(() -> DataSpec.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "data \""
                + text
                + "\" is neither a directory nor one of the accepted forms: expected shapes,"
                + " shapes:N, folder:DIR, idx:DIR, cifar10:DIR, cifar100:DIR or a directory");
  }

  @Test
  void incompleteFormsAreExplained() {
    assertThatThrownBy(() -> DataSpec.parse(" ")).hasMessageStartingWith("no data set given");
    for (String text : new String[] {"shapes:", "shapes:many", "shapes:0", "shapes:-5"}) {
      assertThatThrownBy(() -> DataSpec.parse(text))
          .hasMessageContaining("expected a number of images after shapes:");
    }
    for (String text : new String[] {"idx:", "folder", "cifar10: "}) {
      assertThatThrownBy(() -> DataSpec.parse(text))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("lacks a directory");
    }
    assertThatThrownBy(() -> DataSpec.parse("idx:nowhere").open())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no directory nowhere")
        .hasMessageContaining("data idx:nowhere: check the path");
    assertThatThrownBy(() -> DataSpec.parse("shapes").open(2)).hasMessageContaining("2 channels");
  }
}
