package org.swav4j.train.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class FeatureFileTest {
  @TempDir Path folder;

  @Test
  void npyReadsBackAsTheSameMatrix() throws IOException {
    // Longer than the buffer, in batches of different sizes, one of them column-major.
    INDArray a = Nd4j.rand(DataType.FLOAT, 300, 100);
    INDArray b = Nd4j.rand(DataType.FLOAT, 7, 100).dup('f');
    Path path = folder.resolve("new").resolve("features.npy");
    try (FeatureFile file = FeatureFile.create(path, 100)) {
      file.append(a, new int[300], String::valueOf);
      file.append(b, new int[7], String::valueOf);
      assertThat(path).doesNotExist();
      file.finish();
    }
    assertThat(Nd4j.createFromNpyFile(path.toFile())).isEqualTo(Nd4j.vstack(a, b));
    byte[] bytes = Files.readAllBytes(path);
    assertThat(bytes).hasSize(128 + 307 * 100 * 4);
    assertThat(bytes[127]).isEqualTo((byte) '\n');
    assertThat(path.resolveSibling("features.npy.part")).doesNotExist();
  }

  @Test
  void csvHasPathLabelAndShortestExactNumbers() throws IOException {
    Path path = folder.resolve("f.CSV");
    INDArray rows = Nd4j.createFromArray(new float[][] {{0.1f, -2}, {1e-10f, 3.5f}});
    try (FeatureFile file = FeatureFile.create(path, 2)) {
      file.append(rows, new int[] {4, -1}, i -> List.of("a/ü.png", "say \"b\", c.png").get(i));
      file.finish();
    }
    assertThat(Files.readAllLines(path))
        .containsExactly(
            "path,label,f0,f1", "a/ü.png,4,0.1,-2.0", "\"say \"\"b\"\", c.png\",-1,1.0E-10,3.5");
  }

  @Test
  void anUnfinishedFileLeavesWhatWasThere() throws IOException {
    Path path = folder.resolve("f.npy");
    Files.writeString(path, "before");
    try (FeatureFile file = FeatureFile.create(path, 3)) {
      file.append(Nd4j.ones(DataType.FLOAT, 2, 3), new int[2], String::valueOf);
    }
    assertThat(path).hasContent("before");
    try (var entries = Files.list(folder)) {
      assertThat(entries).containsExactly(path);
    }
  }

  @Test
  void refusesOtherNamesOtherShapesAndPlacesItCannotWrite() throws IOException {
    assertThatThrownBy(() -> FeatureFile.create(folder.resolve("f.txt"), 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'f.txt'");
    Path occupied = Files.writeString(folder.resolve("occupied"), "");
    assertThatThrownBy(() -> FeatureFile.create(occupied.resolve("f.npy"), 3))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(occupied.resolve("f.npy").toString())
        .hasMessageContaining("may write to");
    Path directory = Files.createDirectory(folder.resolve("d.npy"));
    assertThatThrownBy(() -> FeatureFile.create(directory, 3))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is a directory");
    try (FeatureFile file = FeatureFile.create(folder.resolve("f.npy"), 3)) {
      assertThatThrownBy(
              () -> file.append(Nd4j.ones(DataType.FLOAT, 2, 4), new int[2], String::valueOf))
          .hasMessageContaining("[2, 4]");
    }
  }
}
