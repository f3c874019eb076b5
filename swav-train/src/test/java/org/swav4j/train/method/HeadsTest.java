package org.swav4j.train.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Layers;
import org.swav4j.model.SwappedPrediction;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/** Several heads are as many SwAVs on the same embeddings, and their mean. */
class HeadsTest {
  private static final int HEADS = 3;
  private static final int K = 7;
  private static final int DIM = 6;
  private static final int BATCH = 4;
  private static final int VIEWS = 4;
  private static final int ASSIGNING = 2;

  private static INDArray unitRows(DataType type, int rows) {
    INDArray all = Nd4j.randn(type, rows, DIM);
    new PrototypeNormaliser().normalise(all);
    return all;
  }

  private static INDArray rows(INDArray all, int start, int count) {
    return all.get(NDArrayIndex.interval(start, start + count));
  }

  private static CodeAssigner assigner(CodeKind kind, int heads, DataType type, Engine engine) {
    CodeAssigner assigner =
        new CodeAssigner(new SwavCodes(0.05, 3), Reduction.whole(), kind, heads);
    assigner.use(new EmbeddingQueue(ASSIGNING, BATCH, BATCH, DIM, type, engine));
    return assigner;
  }

  /** Two steps, the second with the queue; the codes and the loss of the second. */
  private static double run(
      Layers.Prediction prediction, CodeAssigner assigner, INDArray prototypes, INDArray[] steps) {
    for (INDArray features : steps) {
      prediction.features().assign(features);
      prediction.forward();
      for (int i = 0; i < ASSIGNING; i++) {
        assigner.assign(
            i,
            rows(prediction.scores(), i * BATCH, BATCH),
            rows(prediction.embeddings(), i * BATCH, BATCH),
            prototypes,
            rows(prediction.codes(), i * BATCH, BATCH));
      }
    }
    return prediction.backward();
  }

  private static void near(INDArray actual, INDArray expected, DataType type) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    assertThat(actual.sub(expected).amaxNumber().doubleValue())
        .isLessThan(type == DataType.DOUBLE ? 1e-12 : 2e-6);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void lossAndGradientsAreTheMeanOfEveryHeadAlone(DataType type) {
    Nd4j.getRandom().setSeed(5);
    Engine engine = type == DataType.DOUBLE ? new Nd4jEngine() : Engines.best();
    INDArray prototypes = unitRows(type, HEADS * K);
    INDArray[] steps = {unitRows(type, VIEWS * BATCH), unitRows(type, VIEWS * BATCH)};
    for (CodeKind kind : CodeKind.values()) {
      try (CodeAssigner together = assigner(kind, HEADS, type, engine);
          Layers.Prediction all =
              new Layers.Prediction(
                  engine, prototypes, VIEWS, BATCH, new SwappedPrediction(ASSIGNING, 0.1, HEADS))) {
        double loss = run(all, together, prototypes, steps);
        double sum = 0;
        INDArray gradient = Nd4j.zeros(type, VIEWS * BATCH, DIM);
        for (int head = 0; head < HEADS; head++) {
          INDArray own = rows(prototypes, head * K, K).dup('c');
          try (CodeAssigner alone = assigner(kind, 1, type, engine);
              Layers.Prediction one =
                  new Layers.Prediction(
                      engine, own, VIEWS, BATCH, new SwappedPrediction(ASSIGNING, 0.1))) {
            sum += run(one, alone, own, steps);
            gradient.addi(one.gradientOfFeatures());
            near(
                all.codes()
                    .get(NDArrayIndex.all(), NDArrayIndex.interval(head * K, (head + 1) * K)),
                one.codes(),
                type);
            near(
                rows(all.gradientOfPrototypes(), head * K, K),
                one.gradientOfPrototypes().div(HEADS),
                type);
          }
        }
        assertThat(loss).isCloseTo(sum / HEADS, within(type == DataType.DOUBLE ? 1e-12 : 1e-5));
        near(all.gradientOfFeatures(), gradient.divi(HEADS), type);
      }
    }
  }

  @Test
  void methodsWithoutPrototypesOfTheirOwnHaveOneHead() {
    assertThat(
            TrainingConfigTest.quick("--heads=3", "--prototypes=20").network().with(3).prototypes())
        .isEqualTo(60);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TrainingConfigTest.quick("--heads=2", "--method=simclr"))
        .withMessageContaining("`heads` is 2, expected 1 with simclr");
  }
}
