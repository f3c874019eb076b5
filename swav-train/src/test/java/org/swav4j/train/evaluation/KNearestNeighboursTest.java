package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class KNearestNeighboursTest {
  @Test
  void blockedNeighboursVoteAsTheWholeSortedMatrixDoes() {
    Random random = new Random(5);
    int classes = 7;
    // More than one block of each, and remainders.
    FeatureSet train = random(random, 4500, 6, classes);
    FeatureSet test = random(random, 300, 6, classes);
    KNearestNeighbours knn = new KNearestNeighbours(13, 0.2);
    int[] predicted = knn.predict(train, test.features());
    int[] expected = bruteForce(train, test, 13, 0.2, classes);
    assertThat(predicted).isEqualTo(expected);
    int right = (int) IntStream.range(0, 300).filter(i -> expected[i] == test.labels()[i]).count();
    assertThat(knn.accuracy(train, test)).isEqualTo(right / 300.0);
  }

  private static FeatureSet random(Random random, int n, int dim, int classes) {
    float[][] rows = new float[n][dim];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = random.nextInt(classes);
      for (int d = 0; d < dim; d++) {
        rows[i][d] = (float) (random.nextGaussian() + (d == labels[i] ? 1 : 0));
      }
    }
    return new FeatureSet(Nd4j.createFromArray(rows), labels);
  }

  private static int[] bruteForce(
      FeatureSet train, FeatureSet test, int k, double temperature, int classes) {
    double[][] a = train.features().castTo(DataType.DOUBLE).toDoubleMatrix();
    double[][] b = test.features().castTo(DataType.DOUBLE).toDoubleMatrix();
    int[] result = new int[b.length];
    for (int q = 0; q < b.length; q++) {
      double[] s = new double[a.length];
      for (int t = 0; t < a.length; t++) {
        s[t] = dot(a[t], b[q]) / Math.sqrt(dot(a[t], a[t]) * dot(b[q], b[q]));
      }
      double[] votes = new double[classes];
      IntStream.range(0, s.length)
          .boxed()
          .sorted(Comparator.comparingDouble(t -> -s[t]))
          .limit(k)
          .forEach(t -> votes[train.labels()[t]] += Math.exp(s[t] / temperature));
      result[q] =
          IntStream.range(0, classes)
              .boxed()
              .max(Comparator.comparingDouble(c -> votes[c]))
              .orElseThrow();
    }
    return result;
  }

  private static double dot(double[] x, double[] y) {
    return IntStream.range(0, x.length).mapToDouble(i -> x[i] * y[i]).sum();
  }

  @Test
  void lengthOfFeaturesDoesNotMatterAndASetKnowsItself() {
    FeatureSet train = random(new Random(1), 50, 4, 3);
    INDArray scaled = train.features().mul(1000);
    assertThat(new KNearestNeighbours(1, 0.07).predict(train, scaled)).isEqualTo(train.labels());
  }

  @Test
  void ofEquallySimilarImagesTheFirstVote() {
    float[][] rows = new float[9][];
    java.util.Arrays.fill(rows, new float[] {1, 0});
    FeatureSet train =
        new FeatureSet(Nd4j.createFromArray(rows), new int[] {1, 1, 0, 2, 2, 2, 2, 2, 2});
    for (float[] query : new float[][] {{2, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
      assertThat(
              new KNearestNeighbours(3, 0.07)
                  .predict(train, Nd4j.createFromArray(new float[][] {query})))
          .containsExactly(1);
    }
  }

  @Test
  void fewerImagesThanNeighboursAllVote() {
    FeatureSet train =
        new FeatureSet(
            Nd4j.createFromArray(new float[][] {{1, 0}, {1, 0.1f}, {0, 1}}), new int[] {2, 2, 0});
    assertThat(
            new KNearestNeighbours()
                .predict(train, Nd4j.createFromArray(new float[][] {{1, 0}, {0, 1}})))
        .containsExactly(2, 0);
  }

  @Test
  void refusesWhatHasNoAnswer() {
    FeatureSet train = random(new Random(1), 5, 4, 3);
    KNearestNeighbours knn = new KNearestNeighbours();
    assertThatThrownBy(() -> new KNearestNeighbours(0, 0.07)).hasMessageContaining("k = 0");
    assertThatThrownBy(() -> new KNearestNeighbours(1, 0)).hasMessageContaining("temperature 0.0");
    assertThatThrownBy(() -> knn.predict(train, Nd4j.ones(DataType.FLOAT, 2, 3)))
        .hasMessageContaining("[2, 3]")
        .hasMessageContaining("[5, 4]");
    assertThatThrownBy(
            () ->
                knn.accuracy(
                    train, new FeatureSet(Nd4j.ones(DataType.FLOAT, 2, 4), new int[] {0, -1})))
        .hasMessageContaining("test image 1 has no label");
    INDArray bad = Nd4j.ones(DataType.FLOAT, 2, 4);
    bad.putScalar(1, 2, Float.NaN);
    assertThatThrownBy(() -> knn.predict(train, bad)).hasMessageContaining("row 1 has norm NaN");
    assertThatThrownBy(() -> new FeatureSet(Nd4j.ones(DataType.FLOAT, 2, 4), new int[3]))
        .hasMessageContaining("FLOAT[2, 4] with 3 labels");
  }
}
