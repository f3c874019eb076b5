package org.swav4j.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxSourceTest {
  private static final String IMAGES = "train-images-idx3-ubyte";
  private static final String LABELS = "train-labels-idx1-ubyte";

  @TempDir Path directory;

  /** Images of 2 rows and 3 columns; value = 10 * image + position. */
  static byte[] images(int count) {
    ByteBuffer file = ByteBuffer.allocate(16 + count * 6);
    file.putInt(0x803).putInt(count).putInt(2).putInt(3);
    for (int i = 0; i < count * 6; i++) {
      file.put((byte) (i / 6 * 10 + i % 6));
    }
    return file.array();
  }

  static byte[] labels(int... labels) {
    ByteBuffer file = ByteBuffer.allocate(8 + labels.length).putInt(0x801).putInt(labels.length);
    for (int label : labels) {
      file.put((byte) label);
    }
    return file.array();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private void write(String file, byte[] bytes) {
    TestImages.write(directory.resolve(file), bytes);
  }

  @Test
  void plainAndCompressedFilesGiveTheirImagesAndLabels() throws Exception {
    write(IMAGES, images(3));
    write(LABELS + ".gz", gzip(labels(2, 0, 1)));
    write("t10k-images.idx3-ubyte", images(1));
    write("t10k-labels.idx1-ubyte", labels(4));
    DataSets sets = IdxSource.open(directory);
    Image image = sets.train().read(2, 999);
    assertThat(image).hasToString("3x2x1");
    assertThat(image.pixels()).containsExactly(20, 21, 22, 23, 24, 25);
    assertThat(sets.train().label(0)).isEqualTo(2);
    assertThat(sets.train().classes()).containsExactly("0", "1", "2", "3", "4");
    assertThat(sets.test().classes()).isEqualTo(sets.train().classes());
    assertThat(sets.test().label(0)).isEqualTo(4);
    assertThat(sets.train().describe(2)).startsWith("image 2 of ").endsWith(IMAGES);
    assertThatThrownBy(() -> sets.train().read(3, 1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void labelsAndTestPartMayBeMissing() {
    write(IMAGES, images(2));
    DataSets sets = IdxSource.open(directory);
    assertThat(sets.train().label(1)).isEqualTo(-1);
    assertThat(sets.train().classes()).isEmpty();
    assertThat(sets.test().size()).isZero();
  }

  @Test
  void wrongFilesAreNamedAndExplained() throws Exception {
    assertRefused("no train-images-idx3-ubyte[.gz] in " + directory);

    write(IMAGES, labels(1, 2, 3, 4, 5, 6, 7, 8));
    assertRefused(
        IMAGES + " starts with 00000801, an idx file of images with 00000803: is it the right");

    write(IMAGES, gzip(images(2)));
    assertRefused("it is compressed, add .gz to its name");

    write(IMAGES, TestImages.truncated(images(2), 20));
    assertRefused("has 4 bytes after its header, which promises 12: truncated?");

    write(IMAGES, new byte[3]);
    assertRefused("has 3 bytes, not even a header");

    write(IMAGES, images(2));
    write(LABELS, labels(1, 2, 3));
    assertRefused("has 3 labels, ");
    assertRefused("has 2 images: do the two files belong together?");

    write(LABELS, TestImages.truncated(labels(1, 2), 9));
    assertRefused("has 1 bytes after its header, which promises 2");
  }

  @Test
  void brokenCompressionIsExplained() throws Exception {
    byte[] whole = gzip(images(50));
    write(IMAGES + ".gz", TestImages.truncated(whole, whole.length / 2));
    assertRefused("is not a whole gzip file");
    write(IMAGES + ".gz", "<html>not found</html>".getBytes(UTF_8));
    assertRefused("is not a whole gzip file (Not in GZIP format): download it again");
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> IdxSource.open(directory))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
