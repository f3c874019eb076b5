package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The loss as a piece of anybody's graph. */
class SwavLossTest {
  private static final int B = 3;
  private static final int K = 5;

  /** Equation 2 of the paper, summed pair by pair. */
  private static double pairByPair(
      INDArray scores, INDArray codes, int views, int assigning, double temperature) {
    double sum = 0;
    for (int i = 0; i < assigning; i++) {
      for (int v = 0; v < views; v++) {
        for (int n = 0; v != i && n < B; n++) {
          double total = 0;
          for (int k = 0; k < K; k++) {
            total += Math.exp(scores.getDouble(v * B + n, k) / temperature);
          }
          for (int k = 0; k < K; k++) {
            double p = Math.exp(scores.getDouble(v * B + n, k) / temperature) / total;
            sum -= codes.getDouble(i * B + n, k) * Math.log(p);
          }
        }
      }
    }
    return sum / (assigning * (views - 1) * B);
  }

  @ParameterizedTest
  @CsvSource({"2, 2, 0.1", "2, 1, 0.3", "4, 2, 0.07", "4, 1, 0.1", "4, 4, 0.2"})
  void theLossIsTheMeanOverAllPairs(int views, int assigning, double temperature) {
    Random random = new Random(2);
    INDArray scores = GraphChecks.random(random, DataType.DOUBLE, views * B, K).muli(0.3);
    INDArray codes = GraphChecks.codes(random, DataType.DOUBLE, assigning * B, K);
    SameDiff sd = SameDiff.create();
    Views crops = new Views(List.of(new CropGroup(views, 8)), B);
    SDVariable loss =
        SwavLoss.of(
            sd.var("scores", scores), sd.constant("codes", codes), crops, assigning, temperature);
    assertThat(loss.eval().getDouble(0))
        .isCloseTo(pairByPair(scores, codes, views, assigning, temperature), within(1e-12));
  }

  @Test
  void whatCannotBePredictedIsRefused() {
    SameDiff sd = SameDiff.create();
    SDVariable scores = sd.placeHolder("scores", DataType.FLOAT, 6, K);
    SDVariable codes = sd.placeHolder("codes", DataType.FLOAT, 6, K);
    Views one = new Views(List.of(new CropGroup(1, 8)), B);
    Views two = new Views(List.of(new CropGroup(2, 8)), B);
    assertThatThrownBy(() -> SwavLoss.of(scores, codes, one, 1, 0.1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 crop per image");
    assertThatThrownBy(() -> SwavLoss.of(scores, codes, two, 3, 0.1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("assigning crops are 3, expected 1 to 2");
    assertThatThrownBy(() -> SwavLoss.of(scores, codes, two, 2, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("temperature is 0.0, expected a number above 0");
  }

  /**
   * A network of one's own, trained for this loss by SameDiff's own {@code fit}. Codes are what the
   * network says now, made sharper and brought to equal use of all prototypes.
   */
  @Test
  void aNetworkOfOnesOwnLearnsByPlainFit() {
    int batch = 16;
    int prototypes = 4;
    Views views = new Views(List.of(new CropGroup(2, 8)), batch);
    Random random = new Random(6);
    Nd4j.getRandom().setSeed(6);

    SameDiff sd = SameDiff.create();
    SDVariable images = sd.placeHolder("images", DataType.FLOAT, views.rows(), 1, 8, 8);
    SDVariable kernel = sd.var("kernel", Nd4j.randn(DataType.FLOAT, 64, 24).muli(0.1));
    SDVariable head = sd.var("head", Nd4j.randn(DataType.FLOAT, 24, 8).muli(0.2));
    SDVariable prototype = sd.var("prototypes", Nd4j.randn(DataType.FLOAT, prototypes, 8));
    SDVariable hidden = sd.nn().gelu(sd.mmul(images.reshape(views.rows(), 64), kernel));
    SDVariable z = sd.mmul(hidden, head);
    SDVariable scores =
        sd.mmul(
            "scores",
            z.div(z.norm2(true, 1)),
            prototype.div(prototype.norm2(true, 1)),
            false,
            true,
            false);
    SDVariable codes = sd.placeHolder("codes", DataType.FLOAT, views.rows(), prototypes);
    SwavLoss.of(scores, codes, views, 2, 0.1).rename("loss").markAsLoss();
    sd.setTrainingConfig(
        TrainingConfig.builder()
            .updater(new Adam(0.01))
            .dataSetFeatureMapping("images")
            .dataSetLabelMapping("codes")
            .build());

    double first = 0;
    double last = 0;
    for (int step = 0; step < 40; step++) {
      INDArray crops = twoCropsOfEach(random, batch);
      INDArray q = codes(sd.output(Map.of("images", crops), "scores").get("scores"));
      last = sd.output(Map.of("images", crops, "codes", q), "loss").get("loss").getDouble(0);
      first = step == 0 ? last : first;
      sd.fit(new MultiDataSet(crops, q));
    }
    // Guessing costs ln 4 = 1.39 nats.
    assertThat(last).isLessThan(0.5).isLessThan(0.5 * first);
  }

  /** Images of four kinds with noise of their own in each crop. */
  private static INDArray twoCropsOfEach(Random random, int batch) {
    INDArray crops = GraphChecks.random(random, DataType.FLOAT, 2L * batch, 1, 8, 8).muli(0.3);
    for (int i = 0; i < 2 * batch; i++) {
      int kind = i % 4;
      for (int at = 0; at < 8; at++) {
        crops.putScalar(new int[] {i, 0, 2 * kind, at}, 2);
      }
    }
    return crops;
  }

  /** Rows and columns scaled in turn: Sinkhorn's iteration in its plainest form. */
  private static INDArray codes(INDArray scores) {
    INDArray q = Transforms.exp(scores.div(0.05));
    for (int i = 0; i < 3; i++) {
      q.diviRowVector(q.sum(0));
      q.diviColumnVector(q.sum(1));
    }
    return q;
  }
}
