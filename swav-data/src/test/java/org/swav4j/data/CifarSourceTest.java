package org.swav4j.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarSourceTest {

  @TempDir Path directory;

  /** Records whose planes are 10, 20 and 30, but for the last pixel: 11, 22, 33. */
  static byte[] records(int labelBytes, int... labels) {
    int length = labelBytes + 3072;
    byte[] file = new byte[labels.length * length];
    for (int r = 0; r < labels.length; r++) {
      int at = r * length;
      file[at + labelBytes - 1] = (byte) labels[r];
      for (int plane = 0; plane < 3; plane++) {
        int from = at + labelBytes + plane * 1024;
        Arrays.fill(file, from, from + 1023, (byte) (10 * (plane + 1)));
        file[from + 1023] = (byte) (11 * (plane + 1));
      }
    }
    return file;
  }

  private void write(String file, byte[] bytes) {
    TestImages.write(directory.resolve(file), bytes);
  }

  private void writeCifar10() {
    for (int i = 1; i <= 5; i++) {
      write("data_batch_" + i + ".bin", records(1, i, i + 1));
    }
    write("test_batch.bin", records(1, 9));
  }

  @Test
  void planesBecomeRgbAndBatchesFollowEachOther() throws Exception {
    writeCifar10();
    DataSets sets = CifarSource.cifar10(directory);
    assertThat(sets.train().size()).isEqualTo(10);
    Image image = sets.train().read(9, 1);
    assertThat(image).hasToString("32x32x3");
    assertThat(Arrays.copyOf(image.pixels(), 4)).containsExactly(10, 20, 30, 10);
    assertThat(Arrays.copyOfRange(image.pixels(), 3069, 3072)).containsExactly(11, 22, 33);
    assertThat(sets.train().label(2)).isEqualTo(2);
    assertThat(sets.train().label(9)).isEqualTo(6);
    assertThat(sets.test().label(0)).isEqualTo(9);
    assertThat(sets.test().classes()).hasSize(10).startsWith("0", "1");
    assertThat(sets.test().describe(0)).isEqualTo("image 0 of CIFAR-10 (test)");
  }

  @Test
  void namesComeFromTheMetaFile() {
    writeCifar10();
    write(
        "batches.meta.txt",
        "air\nauto\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n".getBytes(UTF_8));
    assertThat(CifarSource.cifar10(directory).train().classes())
        .startsWith("air")
        .endsWith("truck");
    write("batches.meta.txt", "one\ntwo\n".getBytes(UTF_8));
    assertThatThrownBy(() -> CifarSource.cifar10(directory))
        .hasMessageContaining("names 2 classes, CIFAR-10 has 10");
  }

  @Test
  void cifar100TakesTheFineLabel() {
    write("train.bin", records(2, 99, 42));
    write("test.bin", records(2, 7));
    DataSets sets = CifarSource.cifar100(directory);
    assertThat(sets.train().label(1)).isEqualTo(42);
    assertThat(sets.test().label(0)).isEqualTo(7);
    assertThat(sets.train().classes()).hasSize(100);
  }

  @Test
  void wrongFilesAreNamedAndExplained() {
    assertRefused("no data_batch_1.bin in " + directory + ": expected data_batch_1.bin … and");
    write("data_batch_1", new byte[1]);
    assertRefused("this is the Python version");
    write("cifar-10-batches-bin/test_batch.bin", new byte[1]);
    assertRefused("did you mean " + directory.resolve("cifar-10-batches-bin") + "?");
    writeCifar10();
    write("data_batch_3.bin", new byte[4000]);
    assertRefused("data_batch_3.bin has 4000 bytes, expected a multiple of 3073");
    write("data_batch_3.bin", new byte[0]);
    assertRefused("has 0 bytes");
    write("data_batch_3.bin", records(1, 3, 10));
    assertRefused("data_batch_3.bin: label 10 in record 1, CIFAR-10 has classes 0 to 9");
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> CifarSource.cifar10(directory))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
