package org.swav4j.train.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.method.SphericalKMeans.Clusters;

/** The recorded clusters of others are checked by {@code swav conformance}. */
class SphericalKMeansTest {
  private static final Engine ENGINE = new Nd4jEngine();

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += a[d] * b[d];
    }
    return sum;
  }

  private static double[] unit(double[] row) {
    double norm = Math.sqrt(dot(row, row));
    return Arrays.stream(row).map(x -> x / norm).toArray();
  }

  private static double[][] noise(int rows, int dim, long seed) {
    Random random = new Random(seed);
    double[][] all = new double[rows][];
    for (int i = 0; i < rows; i++) {
      all[i] = unit(random.doubles(dim).map(x -> x - 0.5).toArray());
    }
    return all;
  }

  private static INDArray array(double[][] rows, DataType type) {
    return Nd4j.createFromArray(rows).castTo(type);
  }

  /** The algorithm, word for word. */
  private static int[] nearest(double[][] rows, double[][] centroids) {
    return Arrays.stream(rows)
        .mapToInt(
            row -> {
              int best = 0;
              for (int k = 1; k < centroids.length; k++) {
                best = dot(row, centroids[k]) > dot(row, centroids[best]) ? k : best;
              }
              return best;
            })
        .toArray();
  }

  private static double[][] moved(double[][] rows, double[][] centroids) {
    double[][] sums = new double[centroids.length][rows[0].length];
    int[] joined = nearest(rows, centroids);
    for (int i = 0; i < rows.length; i++) {
      for (int d = 0; d < rows[i].length; d++) {
        sums[joined[i]][d] += rows[i][d];
      }
    }
    return IntStream.range(0, centroids.length)
        .mapToObj(k -> dot(sums[k], sums[k]) == 0 ? centroids[k] : unit(sums[k]))
        .toArray(double[][]::new);
  }

  @Test
  void blockByBlockIsTheAlgorithmOverAllRows() {
    double[][] rows = noise(20_000, 3, 1);
    int[] first = {5, 19_999, 700, 8_191, 8_192};
    double[][] centroids = IntStream.of(first).mapToObj(i -> rows[i]).toArray(double[][]::new);
    for (int i = 0; i < 4; i++) {
      centroids = moved(rows, centroids);
    }
    Clusters found = new SphericalKMeans(4, ENGINE).cluster(array(rows, DataType.DOUBLE), first);
    assertThat(found.assignments()).isEqualTo(nearest(rows, centroids));
    assertThat(found.centroids().distance2(array(centroids, DataType.DOUBLE))).isLessThan(1e-12);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void findsClustersThatAreThere(DataType type) {
    double[][] centres = noise(3, 16, 2);
    double[][] rows = noise(3_000, 16, 3);
    for (int i = 0; i < rows.length; i++) {
      double[] centre = centres[i % 3];
      double[] row = rows[i];
      rows[i] = unit(IntStream.range(0, 16).mapToDouble(d -> centre[d] + row[d] / 2).toArray());
    }
    Engine engine = type == DataType.FLOAT ? Engines.best() : ENGINE;
    Clusters found = new SphericalKMeans(10, engine).cluster(array(rows, type), 0, 1, 2);
    assertThat(found.assignments())
        .isEqualTo(IntStream.range(0, rows.length).map(i -> i % 3).toArray());
    double[][] centroids = found.centroids().castTo(DataType.DOUBLE).toDoubleMatrix();
    for (int k = 0; k < 3; k++) {
      assertThat(dot(centroids[k], centres[k])).isGreaterThan(0.999);
      assertThat(dot(centroids[k], centroids[k])).isCloseTo(1, within(1e-6));
    }
  }

  @Test
  void aCentroidWithoutRowsOrWithRowsThatCancelOutStays() {
    // The second centroid equals the first, which rows join; the third's rows are opposite.
    double[][] rows = {{1, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0.6, 0.8}, {0, -0.6, 0.8}};
    Clusters found =
        new SphericalKMeans(3, ENGINE).cluster(array(rows, DataType.DOUBLE), 0, 1, 4, 5);
    assertThat(found.assignments()).containsExactly(0, 0, 2, 3, 2, 3);
    assertThat(found.centroids().getRow(1).toDoubleVector()).containsExactly(1, 0, 0);

    double[][] opposite = {{1, 0}, {0, 1}, {0, -1}};
    assertThat(
            new SphericalKMeans(3, ENGINE)
                .cluster(array(opposite, DataType.DOUBLE), 0)
                .centroids()
                .toDoubleVector())
        .containsExactly(1, 0);
    double[][] cancel = {{0, 1}, {0, -1}};
    assertThat(
            new SphericalKMeans(3, ENGINE)
                .cluster(array(cancel, DataType.FLOAT), 1)
                .centroids()
                .toDoubleVector())
        .containsExactly(0, -1);
  }

  @Test
  void firstCentroidsAreDifferentRowsAndFollowFromTheSeed() {
    INDArray rows = array(noise(50, 8, 4), DataType.FLOAT);
    SphericalKMeans drawn = new SphericalKMeans(0, ENGINE);
    int[] all = drawn.cluster(rows, 50, new SplittableRandom(1)).assignments();
    assertThat(Arrays.stream(all).sorted().toArray())
        .as("each of 50 rows is one of 50 centroids")
        .isEqualTo(IntStream.range(0, 50).toArray());
    assertThat(drawn.cluster(rows, 50, new SplittableRandom(1)).assignments()).isEqualTo(all);
    assertThat(drawn.cluster(rows, 50, new SplittableRandom(2)).assignments()).isNotEqualTo(all);
  }

  @Test
  void moreClustersThanRowsAndRowsThatAreNotThereAreRefused() {
    INDArray rows = array(noise(5, 8, 4), DataType.FLOAT);
    SphericalKMeans clustering = new SphericalKMeans(10, ENGINE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> clustering.cluster(rows, 6, new SplittableRandom(1)))
        .withMessageContaining("5 rows for 6 clusters")
        .withMessageContaining("`prototypes`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> clustering.cluster(rows, 0, 5))
        .withMessageContaining("first centroid 1 is row 5 of 5");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SphericalKMeans(-1, ENGINE))
        .withMessageContaining("iterations are -1");
  }
}
