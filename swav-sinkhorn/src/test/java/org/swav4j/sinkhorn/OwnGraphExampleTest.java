package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * An application's own SameDiff network, trained on codes by plain {@code sd.fit}: two views of a
 * batch, each predicting the other's codes (arXiv 2006.09882, eq. 1 and 2).
 */
class OwnGraphExampleTest {
  private static final double TEMPERATURE = 0.1;
  private static final double EPSILON = 0.05;

  private final INDArray first = Problems.cosines(24, 8, 1).castTo(DataType.FLOAT);
  private final INDArray second =
      first.add(Problems.cosines(24, 8, 2).castTo(DataType.FLOAT).mul(0.1));

  @BeforeEach
  void seed() {
    Nd4j.getRandom().setSeed(5);
  }

  /** Embeds by one layer, scores the embeddings by prototypes: cosines [B, K]. */
  private static SDVariable scores(SDVariable x, SDVariable layer, SDVariable prototypes) {
    SDVariable embedding = unit(x.getSameDiff().math().tanh(x.mmul(layer)));
    return embedding.mmul(unit(prototypes).permute(1, 0));
  }

  private static SDVariable unit(SDVariable x) {
    return x.div(x.norm2(true, 1));
  }

  /** Cross entropy of codes and predictions, mean over samples, nats. */
  private static SDVariable loss(SDVariable codes, SDVariable scores) {
    SDVariable log = scores.getSameDiff().nn().logSoftmax(scores.div(TEMPERATURE));
    return codes.mul(log).sum(1).mean().neg();
  }

  private static SameDiff network(INDArray layer, INDArray prototypes) {
    SameDiff sd = SameDiff.create();
    SDVariable w = sd.var("layer", layer.dup());
    SDVariable c = sd.var("prototypes", prototypes.dup());
    SDVariable s = scores(sd.placeHolder("first", DataType.FLOAT, -1, 8), w, c);
    SDVariable t = scores(sd.placeHolder("second", DataType.FLOAT, -1, 8), w, c);
    s.rename("scores");
    t.rename("otherScores");
    return sd;
  }

  @Test
  void codesInTheGraphAreTrainedOnByFitAlone() {
    SameDiff sd = network(Nd4j.randn(DataType.FLOAT, 8, 16), Nd4j.randn(DataType.FLOAT, 6, 16));
    SDVariable s = sd.getVariable("scores");
    SDVariable t = sd.getVariable("otherScores");
    SDSinkhorn sinkhorn = new SDSinkhorn(sd);
    SDVariable codes = sinkhorn.codes("codes", s, EPSILON, 3);
    SDVariable otherCodes = sinkhorn.codes("otherCodes", t, EPSILON, 3);
    loss(codes, t).add(loss(otherCodes, s)).mul(0.5).rename("loss").markAsLoss();

    sd.setTrainingConfig(
        TrainingConfig.builder()
            .updater(new Sgd(0.05))
            .dataSetFeatureMapping("first", "second")
            .markLabelsUnused()
            .minimize("loss")
            .build());
    Map<String, INDArray> batch = Map.of("first", first, "second", second);
    double before = sd.outputSingle(batch, "loss").getDouble(0);
    MultiDataSet data = new MultiDataSet(new INDArray[] {first, second}, new INDArray[0]);
    for (int i = 0; i < 100; i++) {
      sd.fit(data);
    }
    double after = sd.outputSingle(batch, "loss").getDouble(0);
    assertThat(after).isLessThan(0.8 * before);

    // What the graph computes is what the eager form does.
    INDArray eager = new NDSinkhorn().codes(sd.outputSingle(batch, "scores"), EPSILON, 3);
    assertThat(Problems.distance(sd.outputSingle(batch, "codes"), eager)).isLessThan(1e-5);
  }

  /** The same step with codes computed outside and fed in, as it costs no gradient at all. */
  @Test
  void codesFromOutsideGiveTheSameGradients() {
    INDArray layer = Nd4j.randn(DataType.FLOAT, 8, 16);
    INDArray prototypes = Nd4j.randn(DataType.FLOAT, 6, 16);
    SameDiff inside = network(layer, prototypes);
    SDVariable s = inside.getVariable("scores");
    loss(new SDSinkhorn(inside).codes(s, EPSILON, 3), inside.getVariable("otherScores"))
        .add(loss(new SDSinkhorn(inside).codes(s, 0.5, 2), s))
        .markAsLoss();
    SameDiff outside = network(layer, prototypes);
    SDVariable u = outside.getVariable("scores");
    loss(outside.placeHolder("codes", DataType.FLOAT, -1, 6), outside.getVariable("otherScores"))
        .add(loss(outside.placeHolder("soft", DataType.FLOAT, -1, 6), u))
        .markAsLoss();

    Map<String, INDArray> batch = Map.of("first", first, "second", second);
    INDArray scores = outside.outputSingle(batch, "scores");
    NDSinkhorn sinkhorn = new NDSinkhorn();
    Map<String, INDArray> fed =
        Map.of(
            "first",
            first,
            "second",
            second,
            "codes",
            sinkhorn.codes(scores, EPSILON, 3),
            "soft",
            sinkhorn.codes(scores, 0.5, 2));
    Map<String, INDArray> expected = outside.calculateGradients(fed, "layer", "prototypes");
    Map<String, INDArray> gradients = inside.calculateGradients(batch, "layer", "prototypes");
    for (String name : expected.keySet()) {
      assertThat(expected.get(name).amaxNumber().doubleValue()).isGreaterThan(0.01);
      assertThat(Problems.distance(gradients.get(name), expected.get(name))).isLessThan(1e-5);
    }
  }
}
