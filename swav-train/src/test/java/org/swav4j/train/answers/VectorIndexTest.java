package org.swav4j.train.answers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VectorIndexTest {
  @TempDir Path folder;

  /** Unit vectors around 20 centres. */
  private static float[][] clustered(int n, int dim, long seed) {
    Random random = new Random(1);
    float[][] centres = new float[20][dim];
    for (float[] centre : centres) {
      for (int d = 0; d < dim; d++) {
        centre[d] = (float) random.nextGaussian();
      }
    }
    random.setSeed(seed);
    float[][] vectors = new float[n][dim];
    for (float[] vector : vectors) {
      float[] centre = centres[random.nextInt(20)];
      double square = 0;
      for (int d = 0; d < dim; d++) {
        vector[d] = centre[d] + 0.5f * (float) random.nextGaussian();
        square += vector[d] * vector[d];
      }
      for (int d = 0; d < dim; d++) {
        vector[d] /= (float) Math.sqrt(square);
      }
    }
    return vectors;
  }

  private static float cosine(float[] a, float[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += a[d] * b[d];
    }
    return (float) sum;
  }

  private void write(float[][] vectors, Path into) throws IOException {
    try (VectorIndexWriter writer = VectorIndexWriter.create(into, vectors[0].length)) {
      for (int i = 0; i < vectors.length; i++) {
        writer.add("v" + i, i % 2 == 0 ? "even" : "", vectors[i]);
      }
      writer.finish(Map.of("made of", "numbers"));
    }
  }

  @Test
  void nearestAreFoundWithTheirCosinesAndNearlyAllOfThem() throws IOException {
    float[][] vectors = clustered(5000, 32, 2);
    Path index = folder.resolve("index");
    write(vectors, index);
    try (VectorIndex opened = VectorIndex.open(index)) {
      assertThat(opened.size()).isEqualTo(5000);
      assertThat(opened.dim()).isEqualTo(32);
      assertThat(opened.notes()).containsEntry("made of", "numbers");
      int right = 0;
      for (float[] query : clustered(50, 32, 3)) {
        Set<String> nearest = new HashSet<>();
        IntStream.range(0, 5000)
            .boxed()
            .sorted((a, b) -> Float.compare(cosine(query, vectors[b]), cosine(query, vectors[a])))
            .limit(10)
            .forEach(i -> nearest.add("v" + i));
        List<VectorIndex.Hit> hits = opened.search(query, 10);
        assertThat(hits).hasSize(10);
        for (int i = 0; i < 10; i++) {
          int number = Integer.parseInt(hits.get(i).id().substring(1));
          assertThat(hits.get(i).similarity())
              .isCloseTo(cosine(query, vectors[number]), within(1e-5f));
          assertThat(hits.get(i).label()).isEqualTo(number % 2 == 0 ? "even" : "");
          assertThat(hits.get(i).similarity())
              .isLessThanOrEqualTo(hits.get(Math.max(0, i - 1)).similarity());
          right += nearest.contains(hits.get(i).id()) ? 1 : 0;
        }
      }
      assertThat(right / 500.0).isGreaterThanOrEqualTo(0.95);
    }
  }

  @Test
  void widerVectorsThanLuceneTakesByDefaultAndFewerThanAskedFor() throws IOException {
    float[][] vectors = clustered(3, VectorIndexWriter.MAX_DIM, 2);
    Path index = folder.resolve("wide");
    write(vectors, index);
    try (VectorIndex opened = VectorIndex.open(index)) {
      assertThat(opened.search(vectors[1], 10))
          .hasSize(3)
          .first()
          .extracting(VectorIndex.Hit::id)
          .isEqualTo("v1");
    }
  }

  @Test
  void anIndexThatIsNotFinishedLeavesTheOneBeforeAndNothingElse() throws IOException {
    Path index = folder.resolve("index");
    write(clustered(30, 8, 2), index);
    try (VectorIndexWriter writer = VectorIndexWriter.create(index, 8)) {
      writer.add("new", "", clustered(1, 8, 9)[0]);
    }
    try (VectorIndex opened = VectorIndex.open(index)) {
      assertThat(opened.size()).isEqualTo(30);
    }
    write(clustered(40, 8, 2), index);
    try (VectorIndex opened = VectorIndex.open(index)) {
      assertThat(opened.size()).isEqualTo(40);
    }
    assertThat(folder.toFile().list()).containsExactly("index");
  }

  @Test
  void whatIsNoIndexIsRefusedAndLeftAlone() throws IOException {
    Path other = Files.createDirectories(folder.resolve("other"));
    Files.writeString(other.resolve("letter.txt"), "dear");
    assertThatThrownBy(() -> VectorIndexWriter.create(other, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holds no index");
    assertThatThrownBy(() -> VectorIndexWriter.create(other.resolve("letter.txt"), 8))
        .hasMessageContaining("is a file");
    assertThatThrownBy(() -> VectorIndex.open(other)).hasMessageContaining("holds no index");
    assertThatThrownBy(() -> VectorIndex.open(folder.resolve("none")))
        .hasMessageContaining("there is no index");
    assertThat(other.resolve("letter.txt")).hasContent("dear");
    assertThatThrownBy(() -> VectorIndexWriter.create(folder.resolve("x"), 5000))
        .hasMessageContaining("5000");

    Path cut = folder.resolve("cut");
    write(clustered(30, 8, 2), cut);
    for (Path file : Files.list(cut).filter(f -> f.toString().endsWith(".vec")).toList()) {
      Files.write(file, new byte[7]);
    }
    assertThatThrownBy(() -> VectorIndex.open(cut))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("can't be read");
  }

  @Test
  void vectorsOfAnotherLengthOrWithoutNumbersAreRefused() throws IOException {
    Path index = folder.resolve("index");
    write(clustered(3, 8, 2), index);
    try (VectorIndex opened = VectorIndex.open(index)) {
      assertThatThrownBy(() -> opened.search(new float[7], 1)).hasMessageContaining("7 numbers");
      assertThatThrownBy(() -> opened.search(new float[] {0, 0, 0, 0, 0, 0, 0, Float.NaN}, 1))
          .hasMessageContaining("NaN");
      assertThatThrownBy(() -> opened.search(new float[8], 0)).hasMessageContaining("at least 1");
    }
  }
}
