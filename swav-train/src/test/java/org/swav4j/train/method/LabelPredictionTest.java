package org.swav4j.train.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Views;

class LabelPredictionTest {
  private static final int BATCH = 4;
  private static final int VIEWS = 3;
  private static final int DIM = 5;
  private static final int K = 6;
  private static final double TAU = 0.1;

  private static double[][] random(int rows, long seed) {
    Random random = new Random(seed);
    double[][] all = new double[rows][];
    for (int i = 0; i < rows; i++) {
      all[i] = random.doubles(DIM, -0.5, 0.5).toArray();
    }
    return all;
  }

  private static int label(int image, int head) {
    return (image * 2 + head * 5) % K;
  }

  /** For each head, the mean cross-entropy of each crop and the label of its image. */
  private static double oracle(double[][] z, double[][] c, int heads) {
    double total = 0;
    for (int head = 0; head < heads; head++) {
      for (int row = 0; row < z.length; row++) {
        double sum = 0;
        double own = 0;
        for (int k = 0; k < K; k++) {
          double score = 0;
          for (int d = 0; d < DIM; d++) {
            score += z[row][d] * c[head * K + k][d];
          }
          sum += Math.exp(score / TAU);
          own = k == label(row % BATCH, head) ? score / TAU : own;
        }
        total += Math.log(sum) - own;
      }
    }
    return total / (heads * z.length);
  }

  @ParameterizedTest(name = "{0} heads")
  @ValueSource(ints = {1, 3})
  void isTheMeanOverHeadsOfEveryCropsCrossEntropyAndSoAreItsGradients(int heads) {
    double[][] z = random(VIEWS * BATCH, 1);
    double[][] c = random(heads * K, 2);
    INDArray targets = Nd4j.zeros(BATCH, heads * K).castTo(DataType.DOUBLE);
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < BATCH; i++) {
        targets.putScalar(i, head * K + label(i, head), 1);
      }
    }
    SameDiff sd = SameDiff.create();
    SDVariable rows = sd.var("z", Nd4j.createFromArray(z));
    sd.var(SwavMethod.PROTOTYPES, Nd4j.createFromArray(c));
    Views views = new Views(List.of(new CropGroup(VIEWS, 32)), BATCH);
    SDVariable loss = new LabelPrediction(heads, TAU).loss(sd, rows, views);
    loss.markAsLoss();
    Map<String, INDArray> given = Map.of(LabelPrediction.TARGETS, targets);
    assertThat(sd.output(given, loss.name()).get(loss.name()).getDouble(0))
        .isCloseTo(oracle(z, c, heads), within(1e-12));

    Map<String, INDArray> gradients = sd.calculateGradients(given, "z", SwavMethod.PROTOTYPES);
    Map<String, double[][]> parameters = Map.of("z", z, SwavMethod.PROTOTYPES, c);
    double h = 1e-6;
    parameters.forEach(
        (name, p) -> {
          for (int r = 0; r < p.length; r++) {
            for (int d = 0; d < DIM; d++) {
              double kept = p[r][d];
              p[r][d] = kept + h;
              double above = oracle(z, c, heads);
              p[r][d] = kept - h;
              double below = oracle(z, c, heads);
              p[r][d] = kept;
              assertThat(gradients.get(name).getDouble(r, d))
                  .as("%s %d, %d", name, r, d)
                  .isCloseTo((above - below) / (2 * h), within(1e-7));
            }
          }
        });
  }
}
