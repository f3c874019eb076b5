package org.swav4j.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderSourceTest {
  private static final int RED = 0xffff0000;

  @TempDir Path folder;

  private void image(String file) {
    TestImages.write(folder.resolve(file), TestImages.png(4, 3, RED, RED));
  }

  private List<String> paths(ImageSource source) {
    return IntStream.range(0, source.size())
        .mapToObj(i -> folder.relativize(Path.of(source.describe(i))).toString())
        .toList();
  }

  @Test
  void theFirstDirectoryIsTheClassHoweverDeepTheImage() throws Exception {
    image("dogs/b.png");
    image("dogs/puppies/small/a.PNG");
    image("cats/z.jpeg"); // PNG inside: the content counts
    image("cats/.hidden.png");
    image(".cache/c.png");
    image("beside.png");
    TestImages.write(folder.resolve("cats/notes.txt"), "no image".getBytes(UTF_8));
    FolderSource source = FolderSource.open(folder, 3);
    assertThat(paths(source))
        .containsExactly("beside.png", "cats/z.jpeg", "dogs/b.png", "dogs/puppies/small/a.PNG");
    assertThat(source.classes()).containsExactly("cats", "dogs");
    assertThat(IntStream.range(0, 4).map(source::label)).containsExactly(-1, 0, 1, 1);
    assertThat(source.read(1, 3)).hasToString("4x3x3");
    assertThat(FolderSource.open(folder, 1).read(1, 3)).hasToString("4x3x1");
  }

  @Test
  void aFlatFolderHasNoLabelsAndNoTestPart() {
    image("b.png");
    image("a.png");
    DataSets sets = FolderSource.split(folder, 3);
    assertThat(paths(sets.train())).containsExactly("a.png", "b.png");
    assertThat(sets.train().classes()).isEmpty();
    assertThat(sets.train().label(0)).isEqualTo(-1);
    assertThat(sets.test().size()).isZero();
  }

  @Test
  void oneDirectoryOfImagesIsNoClass() {
    image("images/a.png");
    image("images/b.png");
    assertThat(FolderSource.open(folder, 3).classes()).isEmpty();
  }

  @Test
  void directoriesNamedTrainAndValAreTheParts() {
    image("train/cats/a.png");
    image("train/dogs/b.png");
    image("val/dogs/c.png");
    image("val/eels/d.png");
    DataSets sets = FolderSource.split(folder, 3);
    assertThat(paths(sets.train())).containsExactly("train/cats/a.png", "train/dogs/b.png");
    assertThat(paths(sets.test())).containsExactly("val/dogs/c.png", "val/eels/d.png");
    assertThat(sets.train().classes()).containsExactly("cats", "dogs", "eels");
    assertThat(IntStream.range(0, 2).map(sets.test()::label)).containsExactly(1, 2);
  }

  @Test
  void linksAreFollowedAndLoopsEnd() throws Exception {
    image("a/one.png");
    image("b/two.png");
    Files.createSymbolicLink(folder.resolve("a/up"), folder);
    Files.createSymbolicLink(folder.resolve("b/link.png"), folder.resolve("a/one.png"));
    Files.createSymbolicLink(folder.resolve("b/gone.png"), folder.resolve("nowhere.png"));
    assertThat(paths(FolderSource.open(folder, 3)))
        .containsExactly("a/one.png", "b/link.png", "b/two.png");
  }

  @Test
  void brokenImagesFailAloneAndSayWhy() throws Exception {
    image("good.png");
    TestImages.write(folder.resolve("a.png"), new byte[0]);
    TestImages.write(folder.resolve("b.png"), "just some text".getBytes(UTF_8));
    TestImages.write(
        folder.resolve("c.png"), TestImages.truncated(TestImages.png(40, 30, RED, RED), 60));
    TestImages.write(folder.resolve("d.png"), TestImages.hugePng(20_000, 20_000));
    FolderSource source = FolderSource.open(folder, 3);
    List<String> reasons = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int index = i;
      assertThatThrownBy(() -> source.read(index, 32))
          .isInstanceOfSatisfying(
              UnreadableImageException.class,
              e -> {
                assertThat(e.image()).isEqualTo(source.describe(index));
                reasons.add(e.reason());
              });
    }
    assertThat(reasons.get(0)).isEqualTo("empty file");
    assertThat(reasons.get(1)).startsWith("not an image, it starts with \"just some te\"");
    assertThat(reasons.get(2)).startsWith("truncated PNG");
    assertThat(reasons.get(3)).startsWith("too large: 20000x20000");
    assertThat(source.read(4, 32)).hasToString("4x3x3");
    Files.delete(folder.resolve("good.png"));
    assertThatThrownBy(() -> source.read(4, 32)).hasMessageEndingWith("good.png: the file is gone");
  }

  @Test
  void foldersWithoutImagesSayWhatIsThere() {
    assertThatThrownBy(() -> FolderSource.open(folder, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is empty, expected images: .jpg");
    for (int i = 0; i < 11; i++) {
      TestImages.write(folder.resolve("texts/" + i + ".txt"), new byte[] {65});
    }
    TestImages.write(folder.resolve("README"), new byte[] {65});
    assertThatThrownBy(() -> FolderSource.open(folder, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("no image in " + folder + ", expected .jpg")
        .hasMessageContaining("12 files that are no images are ignored (11 .txt, 1 without ending");
    assertThatThrownBy(() -> FolderSource.open(folder.resolve("nowhere"), 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("no such folder: ");
    assertThatThrownBy(() -> FolderSource.open(folder.resolve("README"), 3))
        .hasMessageContaining("is a file, expected a folder");
    assertThatThrownBy(() -> FolderSource.open(folder, 4)).hasMessageContaining("4 channels");
  }
}
