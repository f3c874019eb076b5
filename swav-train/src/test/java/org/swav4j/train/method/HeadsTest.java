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
import org.swav4j.model.GivenFeatures;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.loop.MethodStep;
import org.swav4j.train.optimiser.PrototypeNormaliser;
import org.swav4j.train.optimiser.Sgd;

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

  /** SwAV's step with a queue on features that are given. */
  private record Given(GivenFeatures features, MethodStep step) implements AutoCloseable {
    static Given of(CodeKind kind, int heads, INDArray prototypes, Engine engine) {
      GivenFeatures features = new GivenFeatures(VIEWS, BATCH, prototypes, 0.1);
      SwavMethod.Settings settings =
          new SwavMethod.Settings(ASSIGNING, 0.1)
              .withCodes(kind)
              .withQueue(BATCH, 0)
              .withHeads(heads);
      return new Given(
          features,
          new MethodStep(
              features.weights(),
              features.views(),
              new SwavMethod(settings, new SwavCodes(0.05, 3), engine),
              new Sgd(0, 0),
              engine,
              Collective.single()));
    }

    /** Two steps, the second with the queue; the loss of the second. */
    double run(INDArray[] steps) {
      double loss = Double.NaN;
      for (int t = 0; t < steps.length; t++) {
        features.give(steps[t]);
        step.crops(0).assign(features.images());
        loss = step.run(t, 0);
      }
      return loss;
    }

    INDArray codes() {
      return step.network().codes();
    }

    INDArray gradientOfPrototypes() {
      return step.network().gradients().get(SwavMethod.PROTOTYPES);
    }

    INDArray gradientOfFeatures() {
      return features.gradient(step.network().gradients());
    }

    @Override
    public void close() {
      step.close();
    }
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
      try (Given all = Given.of(kind, HEADS, prototypes, engine)) {
        double loss = all.run(steps);
        double sum = 0;
        INDArray gradient = Nd4j.zeros(type, VIEWS * BATCH, DIM);
        for (int head = 0; head < HEADS; head++) {
          INDArray own = rows(prototypes, head * K, K).dup('c');
          try (Given one = Given.of(kind, 1, own, engine)) {
            sum += one.run(steps);
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
