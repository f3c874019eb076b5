package org.swav4j.train.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Views;

class NtXentTest {
  private static final int BATCH = 5;
  private static final int DIM = 4;

  /** Equation 1 of the paper, for two views: each row finds its partner among the others. */
  private static double ofPair(double[][] first, double[][] second, double tau) {
    double total = 0;
    for (double[][][] order : new double[][][][] {{first, second}, {second, first}}) {
      for (int i = 0; i < BATCH; i++) {
        double all = 0;
        for (int k = 0; k < BATCH; k++) {
          all += k == i ? 0 : Math.exp(dot(order[0][i], order[0][k]) / tau);
          all += Math.exp(dot(order[0][i], order[1][k]) / tau);
        }
        total -= Math.log(Math.exp(dot(order[0][i], order[1][i]) / tau) / all);
      }
    }
    return total / (2 * BATCH);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < DIM; d++) {
      sum += a[d] * b[d];
    }
    return sum;
  }

  private static double oracle(double[][] rows, int views, int anchors, double tau) {
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < anchors; i++) {
      for (int j = i + 1; j < views; j++) {
        sum += ofPair(view(rows, i), view(rows, j), tau);
        pairs++;
      }
    }
    return sum / pairs;
  }

  private static double[][] view(double[][] rows, int v) {
    return Arrays.copyOfRange(rows, v * BATCH, (v + 1) * BATCH);
  }

  private static double[][] unitRows(int count) {
    Random random = new Random(3);
    double[][] rows = new double[count][DIM];
    for (double[] row : rows) {
      for (int d = 0; d < DIM; d++) {
        row[d] = random.nextGaussian();
      }
      double norm = Math.sqrt(dot(row, row));
      for (int d = 0; d < DIM; d++) {
        row[d] /= norm;
      }
    }
    return rows;
  }

  @ParameterizedTest(name = "{0} views, {1} of them anchors, temperature {2}")
  @CsvSource({"2, 2, 0.5", "3, 1, 0.1", "4, 2, 0.1", "3, 3, 0.5", "2, 1, 0.02"})
  void isTheFormulaOverAllPairsOfViewsAndSoIsItsGradient(int views, int anchors, double tau) {
    double[][] rows = unitRows(views * BATCH);
    SameDiff sd = SameDiff.create();
    SDVariable z = sd.var("z", Nd4j.create(rows).castTo(DataType.DOUBLE));
    Views crops = new Views(List.of(new CropGroup(views, 32)), BATCH);
    SDVariable loss = new NtXent(anchors, tau).loss(sd, z, crops);
    loss.markAsLoss();
    double expected = oracle(rows, views, anchors, tau);
    assertThat(loss.eval().getDouble(0)).isCloseTo(expected, within(1e-9 * Math.max(1, expected)));

    INDArray gradient = sd.calculateGradients(Map.of(), "z").get("z");
    double h = 1e-6;
    for (int r = 0; r < rows.length; r++) {
      for (int d = 0; d < DIM; d++) {
        double kept = rows[r][d];
        rows[r][d] = kept + h;
        double above = oracle(rows, views, anchors, tau);
        rows[r][d] = kept - h;
        double below = oracle(rows, views, anchors, tau);
        rows[r][d] = kept;
        assertThat(gradient.getDouble(r, d))
            .isCloseTo((above - below) / (2 * h), within(1e-5 / tau));
      }
    }
  }

  @Test
  void whatCannotBeComputedIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SimClrMethod(2, 0.01))
        .withMessageContaining("`temperature` is 0.01")
        .withMessageContaining("at least 0.02");
    SameDiff sd = SameDiff.create();
    SDVariable z = sd.var("z", Nd4j.create(unitRows(BATCH)));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new NtXent(1, 0.5).loss(sd, z, new Views(List.of(new CropGroup(1, 32)), BATCH)))
        .withMessageContaining("at least 2 that form a pair");
  }
}
