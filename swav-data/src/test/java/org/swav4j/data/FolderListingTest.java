package org.swav4j.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Every file of a folder is an image, or is counted and named with the reason. */
class FolderListingTest {
  private static final byte[] JPEG = TestImages.jpeg(16, 12, 0xffff0000, 0xff0000ff);

  @TempDir Path folder;

  private void write(String file, byte[] content) {
    TestImages.write(folder.resolve(file), content);
  }

  private List<String> images() {
    FileNames names = FolderListing.of(folder).images();
    return IntStream.range(0, names.size()).mapToObj(names::text).toList();
  }

  private List<String> leftOut() {
    return FolderListing.of(folder).leftOut().sentences();
  }

  @Test
  void aJpegIsReadUnderAnyName() throws Exception {
    List<String> names =
        List.of("a.jfif", "b.JPE", "c.jif", "d", "e.jpg_large", "f.txt", "g.HEIC", "h.jpg.1");
    names.forEach(name -> write(name, JPEG));
    assertThat(images()).containsExactlyElementsOf(names);
    FolderSource source = FolderSource.open(folder, 3);
    for (int i = 0; i < names.size(); i++) {
      assertThat(source.read(i, 12)).hasToString("16x12x3");
    }
  }

  @Test
  void whatIsNoImageIsCountedByItsReason() throws Exception {
    write("a.png", JPEG);
    write("t/1.txt", "text".getBytes(UTF_8));
    write("t/2.TXT", "BMW and P5 are words".getBytes(UTF_8));
    write("README", "text".getBytes(UTF_8));
    write("empty", new byte[0]);
    write("p/x.heic", "    ftypheic    ".getBytes(ISO_8859_1));
    write("p/unnamed", "    ftypavif    ".getBytes(ISO_8859_1));
    write("p/raw.CR2", "II*\0          ".getBytes(ISO_8859_1));
    write("p/y.jxl", new byte[] {1});
    write(".hidden.png", JPEG);
    write(".cache/b.png", JPEG);
    write("t/@eaDir/c.png", JPEG);
    write("__MACOSX/._a.png", JPEG);
    Files.createSymbolicLink(folder.resolve("gone.png"), Path.of("nowhere.png"));
    Files.createSymbolicLink(folder.resolve("gone"), Path.of("gone"));
    assertThat(images()).containsExactly("a.png");
    List<String> sentences = leftOut();
    assertThat(sentences).hasSize(4);
    assertThat(sentences.get(0))
        .startsWith("4 images are left out")
        .contains("1 AVIF, 1 HEIC, 1 JPEG XL, 1 camera raw", "convert");
    assertThat(sentences.get(1))
        .startsWith("2 links lead nowhere")
        .contains("gone.png", "git annex");
    assertThat(sentences.get(2)).startsWith("4 hidden files and folders").contains("__MACOSX");
    assertThat(sentences.get(3)).startsWith("4 files that are no images").contains("2 .txt");
  }

  @Test
  void linksAreFollowedAndAnyTangleOfThemEnds() throws Exception {
    write("a/1.png", JPEG);
    write("b/2.png", JPEG);
    Files.createSymbolicLink(folder.resolve("a/up"), folder);
    Files.createSymbolicLink(folder.resolve("c"), folder.resolve("b"));
    assertThat(images()).containsExactly("a/1.png", "b/2.png", "c/2.png");
    assertThat(leftOut())
        .containsExactly("1 link is not followed, to a folder that is read already (a/up)");
    // 12 folders that all lead to each other: 12! paths without a rule
    for (int i = 0; i < 12; i++) {
      write("tangle/" + i + "/" + i + ".png", JPEG);
      for (int j = 0; j < 12; j++) {
        Files.createSymbolicLink(
            folder.resolve("tangle/" + i + "/to" + j), folder.resolve("tangle/" + j));
      }
    }
    assertThat(images()).hasSizeLessThan(2000).contains("tangle/3/3.png", "tangle/3/to4/4.png");
  }

  @Test
  void onlyDeadLinksAreSaidToBeDead() throws IOException {
    for (int i = 0; i < 5; i++) {
      Files.createSymbolicLink(folder.resolve(i + ".jpg"), Path.of("annex", i + ".jpg"));
    }
    assertThatThrownBy(() -> FolderSource.open(folder, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("5 links lead nowhere (")
        .hasMessageContaining("and 2 more");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void namesOfAnyBytesAreReadAndShown() throws Exception {
    // bytes that no encoding has, made without a String on the way
    write("gr\u00f6\u00dfe/a%20b#?.png", JPEG);
    Path latin = Path.of(URI.create(folder.toUri() + "gr%C3%B6%C3%9Fe/k%E4se%FF.png"));
    Files.write(latin, JPEG);
    FolderSource source = FolderSource.open(folder, 3);
    assertThat(images())
        .containsExactly("gr\u00f6\u00dfe/a%20b#?.png", "gr\u00f6\u00dfe/k\\xE4se\\xFF.png");
    assertThat(source.describe(1)).isEqualTo(folder + "/gr\u00f6\u00dfe/k\\xE4se\\xFF.png");
    assertThat(source.describe(0)).isEqualTo(folder + "/gr\u00f6\u00dfe/a%20b#?.png");
    for (int i = 0; i < 2; i++) {
      assertThat(source.read(i, 12)).hasToString("16x12x3");
      assertThat(source.inputSplit().locations()[i].getRawPath()).doesNotContain("%EF%BF%BD");
    }
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aFolderThatCannotBeListedIsNamedAndTheRestIsRead() throws IOException {
    write("a.png", JPEG);
    write("secret/b.png", JPEG);
    Path secret = folder.resolve("secret");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
    try {
      assumeTrue(!Files.isReadable(secret), "the superuser reads everything");
      assertThat(images()).containsExactly("a.png");
      assertThat(leftOut().get(0)).contains("secret", "permission denied");
    } finally {
      Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rwx------"));
    }
  }
}
