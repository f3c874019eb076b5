package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LogisticRegressionTest {
  /** Rows around a direction for each class, of any length. */
  private static FeatureSet around(long seed, int n, int classes, double noise) {
    Random random = new Random(seed);
    float[][] rows = new float[n][12];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % classes;
      double length = Math.exp(2 * random.nextGaussian());
      for (int d = 0; d < 12; d++) {
        double value = 1 + (d == labels[i] ? 1 : 0) + noise * random.nextGaussian();
        rows[i][d] = (float) (length * value);
      }
    }
    return new FeatureSet(Nd4j.createFromArray(rows), labels);
  }

  /** At the least loss its derivative is 0: of W, of the bias, whatever the way there. */
  @Test
  void theGradientOfTheLossWithItsPenaltyIsZeroWhereTheFitEnds() {
    FeatureSet train = around(1, 60, 3, 0.5);
    double penalty = 0.6;
    LinearClassifier fitted = new LogisticRegression(penalty, 3000).fit(train, 3);
    double[][] x = UnitRows.copyOf(train.features()).castTo(DataType.DOUBLE).toDoubleMatrix();
    double[] mean = new double[12];
    for (double[] row : x) {
      for (int d = 0; d < 12; d++) {
        mean[d] += row[d] / 60;
      }
    }
    double square = 0;
    for (double[] row : x) {
      for (int d = 0; d < 12; d++) {
        square += (row[d] - mean[d]) * (row[d] - mean[d]) / 60;
      }
    }
    double scale = 1 / Math.sqrt(square);
    double[][] p = fitted.probabilities(train.features()).castTo(DataType.DOUBLE).toDoubleMatrix();
    for (int c = 0; c < 3; c++) {
      double bias = 0;
      for (int n = 0; n < 60; n++) {
        bias += (p[n][c] - (train.labels()[n] == c ? 1 : 0)) / 60;
      }
      assertThat(bias).isCloseTo(0, within(1e-4));
      for (int d = 0; d < 12; d++) {
        // The classifier holds s W.
        double gradient = penalty / 60 * fitted.weight().getDouble(c, d) / scale;
        for (int n = 0; n < 60; n++) {
          double residual = p[n][c] - (train.labels()[n] == c ? 1 : 0);
          gradient += residual * scale * (x[n][d] - mean[d]) / 60;
        }
        assertThat(gradient).isCloseTo(0, within(1e-4));
      }
    }
  }

  @Test
  void twoLabelsOfEachClassSufficeForClassesThatAreApart() {
    FeatureSet test = around(2, 300, 5, 0.1);
    LinearClassifier fitted = new LogisticRegression().fit(around(1, 10, 5, 0.1), 5);
    assertThat(fitted.predict(test.features())).containsExactly(test.labels());
    INDArray sums = fitted.probabilities(test.features()).sum(1);
    for (float sum : sums.toFloatVector()) {
      assertThat(sum).isCloseTo(1, within(1e-5f));
    }
  }

  @Test
  void fewLabelsGiveTheShareOfEachDrawAndOfEachClass() {
    FeatureSet train = around(1, 40, 4, 0.1);
    FeatureSet test = around(2, 100, 4, 0.1);
    int[] all = {0, 1, 2, 3, 4, 5, 6, 7};
    // Rows of classes 0, 1 and 2 only: those of class 3 are all wrong.
    int[] three = {0, 1, 2, 4, 5, 6};
    FewLabels found = FewLabels.evaluate(train, test, List.of(all, three));
    assertThat(found.accuracies()).containsExactly(1.0, 0.75);
    assertThat(found.classes()).containsExactly(1.0, 1.0, 1.0, 0.5);
    assertThat(found.mean()).isEqualTo(0.875);
    assertThat(found.deviation()).isCloseTo(0.25 / Math.sqrt(2), within(1e-12));
    assertThat(FewLabels.evaluate(train, test, List.of(all)).deviation()).isNaN();
  }

  @Test
  void oneClassAndOtherWidthsAreRefused() {
    FeatureSet one = new FeatureSet(Nd4j.ones(DataType.FLOAT, 3, 2), new int[] {1, 1, 1});
    assertThatThrownBy(() -> new LogisticRegression().fit(one, 2))
        .hasMessageContaining("1 classes");
    LinearClassifier fitted = new LogisticRegression().fit(around(1, 10, 5, 0.1), 5);
    assertThatThrownBy(() -> fitted.predict(Nd4j.ones(DataType.FLOAT, 3, 2)))
        .hasMessageContaining("[3, 2]");
    assertThatThrownBy(() -> new LogisticRegression(-1, 5)).hasMessageContaining("-1");
  }
}
