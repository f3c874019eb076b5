package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.onednn.OneDnnEngine;
import org.swav4j.model.plan.OpType;

/** Training steps for losses that aren't SwAV's. */
class ObjectiveTest {
  private static final int B = 4;
  private static final SwavConfig CONFIG =
      new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 7, 5, 6, 0.1);
  private static final List<CropGroup> CROPS = List.of(new CropGroup(1, 8), new CropGroup(1, 6));

  /** Embeddings are drawn to points that are known after the forward half. */
  private static final Objective POINTS =
      new Objective() {
        @Override
        public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
          sd.math().abs("sizes", embeddings);
          SDVariable points = sd.placeHolder("points", embeddings.dataType(), views.rows(), 5);
          return sd.math().square(embeddings.sub(points)).mean();
        }

        @Override
        public List<String> reads() {
          return List.of("sizes");
        }
      };

  /** SimCLR's: each row is to be told from all others but the same image's other crop. */
  private static final Objective PAIRS =
      (sd, embeddings, views) -> {
        int n = views.rows();
        INDArray self = Nd4j.eye(n).castTo(embeddings.dataType());
        INDArray partner = Nd4j.zeros(embeddings.dataType(), n, n);
        for (int i = 0; i < n; i++) {
          partner.putScalar(i, (i + views.batch()) % n, 1);
        }
        SDVariable cosines = sd.mmul(embeddings, embeddings, false, true, false);
        SDVariable others = cosines.div(0.5).sub(sd.constant(self.mul(30)));
        return sd.constant(partner).mul(sd.nn().logSoftmax(others)).sum().mul(-1.0 / n);
      };

  static Stream<Arguments> cases() {
    return GraphChecks.engines().stream()
        .flatMap(on -> Stream.of(Arguments.of(on, POINTS), Arguments.of(on, PAIRS)));
  }

  private static void feed(TrainingStep step, Random random) {
    for (int g = 0; g < CROPS.size(); g++) {
      INDArray crops = step.crops(g);
      crops.assign(GraphChecks.random(random, crops.dataType(), crops.shape()));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anObjectivesStepEqualsPlainSameDiff(GraphChecks.On on, Objective objective) {
    SwavWeights weights = SwavWeights.initialise(CONFIG, 5, on.type());
    SameDiff sd = new SwavGraph(weights, new Views(CROPS, B), objective).sameDiff();
    try (TrainingStep step = new TrainingStep(weights, CROPS, B, objective, on.engine())) {
      Random random = new Random(3);
      feed(step, random);
      step.forward();
      Map<String, INDArray> fed = new HashMap<>();
      fed.put("crops0", step.crops(0).dup());
      fed.put("crops1", step.crops(1).dup());
      if (objective == POINTS) {
        assertThat(
                step.value("sizes")
                    .equalsWithEps(
                        org.nd4j.linalg.ops.transforms.Transforms.abs(step.embeddings(), true),
                        1e-6))
            .isTrue();
        INDArray points = step.target("points");
        points.assign(GraphChecks.random(random, on.type(), points.shape()));
        fed.put("points", points.dup());
      }
      double loss = step.backward();
      assertThat(loss)
          .isPositive()
          .isCloseTo(
              sd.output(fed, SwavGraph.LOSS).get(SwavGraph.LOSS).getDouble(0),
              org.assertj.core.data.Offset.offset(1e-5));
      Map<String, INDArray> expected = sd.calculateGradients(fed, step.gradients().keySet());
      double largest =
          expected.values().stream()
              .mapToDouble(g -> g.norm2Number().doubleValue())
              .max()
              .orElse(0);
      expected.forEach(
          (name, g) ->
              assertThat(
                      step.gradients()
                          .get(name)
                          .castTo(DataType.DOUBLE)
                          .sub(g.castTo(DataType.DOUBLE))
                          .norm2Number()
                          .doubleValue())
                  .as(name)
                  // ND4J's own batch norm gradient holds 1/N as a float.
                  .isLessThan((on.type() == DataType.DOUBLE ? 1e-6 : 2e-3) * largest));
      assertThat(step.gradients()).doesNotContainKey("prototypes.weight").hasSizeGreaterThan(50);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aFewStepsDownTheGradientLowerTheLoss(GraphChecks.On on, Objective objective) {
    SwavWeights weights = SwavWeights.initialise(CONFIG, 5, on.type());
    try (TrainingStep step = new TrainingStep(weights, CROPS, B, objective, on.engine())) {
      Random random = new Random(3);
      feed(step, random);
      if (objective == POINTS) {
        step.target("points").assign(0.4);
      }
      double first = 0;
      double last = 0;
      for (int i = 0; i < 20; i++) {
        step.forward();
        last = step.backward();
        first = i == 0 ? last : first;
        step.gradients().forEach((name, g) -> weights.parameters().get(name).subi(g.mul(0.1)));
      }
      assertThat(last).isLessThan(0.9 * first);
    }
  }

  @Test
  void swavsObjectiveIsOneOpWhateverItsTemperature() {
    SwavWeights weights = SwavWeights.initialise(CONFIG, 5, DataType.FLOAT);
    try (TrainingStep step =
        new TrainingStep(weights, CROPS, B, new SwappedPrediction(2, 0.3), new OneDnnEngine())) {
      assertThat(step.plan().ops()).noneMatch(op -> op.type() == OpType.ND4J);
      assertThat(step.plan().ops())
          .filteredOn(op -> op.type() == OpType.SWAPPED_PREDICTION)
          .singleElement()
          .matches(op -> op.arguments().temperature() == 0.3);
    }
  }

  @Test
  void whatAnObjectiveReadsMayNotDependOnItsTargets() {
    SwavWeights weights = SwavWeights.initialise(CONFIG, 5, DataType.FLOAT);
    Objective objective =
        new Objective() {
          @Override
          public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
            SDVariable points = sd.placeHolder("points", DataType.FLOAT, views.rows(), 5);
            return sd.math().square("errors", embeddings.sub(points)).mean();
          }

          @Override
          public List<String> reads() {
            return List.of("errors");
          }
        };
    assertThatThrownBy(() -> new TrainingStep(weights, CROPS, B, objective, new Nd4jEngine()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("reads [errors] before its target \"points\" is known");
  }

  @Test
  void aTargetThatIsNotThereIsRefusedByName() {
    SwavWeights weights = SwavWeights.initialise(CONFIG, 5, DataType.FLOAT);
    try (TrainingStep step = new TrainingStep(weights, CROPS, B, POINTS, new Nd4jEngine())) {
      assertThatThrownBy(step::codes)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("\"codes\" is not among the objective's placeholders: these are [points]");
      assertThatThrownBy(() -> step.value("scores")).hasMessageContaining("these are [sizes]");
    }
  }
}
