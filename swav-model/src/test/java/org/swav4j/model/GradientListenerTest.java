package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.model.plan.AnnounceResults;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/** Gradients are final when they are said to be, which is long before the end. */
class GradientListenerTest {
  private static final List<CropGroup> CROPS = List.of(new CropGroup(2, 16), new CropGroup(1, 9));
  private static final int BATCH = 4;
  private static final SwavConfig NETWORK =
      new SwavConfig(Architecture.RESNET20, 1, Stem.SMALL, 3, 8, 6, 5, 0.1);

  static Stream<Arguments> enginesAndParts() {
    return GraphChecks.engines().stream()
        .flatMap(on -> Stream.of(Arguments.of(on, 1), Arguments.of(on, 2)));
  }

  /** Two steps, of which the second's gradients are copied when {@code told}, or at the end. */
  private static final class Steps {
    private final Map<String, INDArray> gradients = new LinkedHashMap<>();
    private final List<String> order;
    private final Plan plan;
    private TrainingStep step;
    private boolean second;

    Steps(GraphChecks.On on, int parts, boolean listens) {
      Random random = new Random(4);
      SwavWeights weights = SwavWeights.initialise(NETWORK, 5, on.type());
      try (TrainingStep s =
          new TrainingStep(
              weights,
              CROPS,
              BATCH,
              parts,
              new SwappedPrediction(2, 0.1),
              on.engine(),
              AllReduce.alone(),
              listens ? this::told : GradientListener.none())) {
        step = s;
        for (int i = 0; i < 2; i++) {
          second = i == 1;
          for (int g = 0; g < CROPS.size(); g++) {
            step.crops(g).assign(GraphChecks.random(random, on.type(), step.crops(g).shape()));
          }
          step.forward();
          step.codes().assign(GraphChecks.codes(random, on.type(), 2 * BATCH, 5));
          step.backward();
        }
        if (!listens) {
          step.gradients().forEach((n, g) -> gradients.put(n, g.dup()));
        }
        order = step.finalOrder();
        plan = step.plan();
      }
    }

    /** Copies it, and puts something else in its place. */
    private void told(String name) {
      INDArray gradient = step.gradients().get(name);
      if (second) {
        assertThat(gradients.put(name, gradient.dup())).as("%s is told twice", name).isNull();
      }
      gradient.assign(1e20);
    }
  }

  @ParameterizedTest
  @MethodSource("enginesAndParts")
  void nothingWritesOrReadsAGradientThatIsFinal(GraphChecks.On on, int parts) {
    Steps told = new Steps(on, parts, true);
    Steps whole = new Steps(on, parts, false);
    assertThat(told.gradients).isEqualTo(whole.gradients);
    assertThat(told.order).containsExactlyElementsOf(told.gradients.keySet());
    assertThat(whole.order).isEmpty();
    assertThat(whole.plan.ops()).noneMatch(op -> op.type() == OpType.FINAL);
    assertThat(told.plan.ops().stream().filter(op -> op.type() != OpType.FINAL).map(Op::toString))
        .containsExactlyElementsOf(whole.plan.ops().stream().map(Op::toString).toList());
  }

  @Test
  void theLastLayersAreToldFirstAndMostOfTheWayBackIsThenAhead() {
    Steps told = new Steps(new GraphChecks.On(new Nd4jEngine(), DataType.DOUBLE), 1, true);
    assertThat(told.order.get(0)).isEqualTo("prototypes.weight");
    assertThat(told.order.subList(told.order.size() - 3, told.order.size()))
        .contains("conv1.weight");
    List<Op> backward = told.plan.backward();
    int half = backward.size() / 2;
    assertThat(backward.subList(0, half).stream().filter(op -> op.type() == OpType.FINAL).count())
        .isGreaterThan(told.order.size() / 3);
  }

  @Test
  void whatTheListenerThrowsTheStepThrows() {
    SwavWeights weights = SwavWeights.initialise(NETWORK, 5);
    try (TrainingStep step =
        new TrainingStep(
            weights,
            CROPS,
            BATCH,
            1,
            new SwappedPrediction(2, 0.1),
            new Nd4jEngine(),
            AllReduce.alone(),
            name -> {
              throw new IllegalStateException("no more of " + name);
            })) {
      step.forward();
      assertThatThrownBy(step::backward)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("no more of prototypes.weight");
      step.profile(); // tells nobody
    }
  }

  /** Engines may have views of the one, and write the other in place. */
  @Test
  void aResultThatSharesMemoryIsToldAtTheEnd() {
    Value x = Value.input("x", DataType.FLOAT, 2, 3);
    Value read = Value.result("read", DataType.FLOAT, 2, 3);
    Value alone = Value.result("alone", DataType.FLOAT, 2, 3);
    Value joined = Value.result("joined", DataType.FLOAT, 4, 3);
    List<Op> ops =
        List.of(
            op(OpType.RELU, List.of(x), read),
            op(OpType.CONCAT_ROWS, List.of(x, x), joined),
            op(OpType.RELU, List.of(read), alone),
            op(OpType.RELU, List.of(x), Value.result("other", DataType.FLOAT, 2, 3)));
    List<Integer> told = new ArrayList<>();
    List<Op> announced =
        new AnnounceResults(List.of(alone, read, joined), told::add)
            .apply(new Plan(List.of(x), List.of(alone, read, joined), List.of(), ops))
            .backward();
    assertThat(announced.stream().map(op -> op.type() == OpType.FINAL ? op.input(0) : null))
        .containsExactly(null, null, null, alone, null, read, joined);
    announced.stream()
        .filter(op -> op.type() == OpType.FINAL)
        .forEach(op -> op.arguments().call().run());
    assertThat(told).containsExactly(0, 1, 2);
  }

  private static Op op(OpType type, List<Value> inputs, Value output) {
    return new Op(type, inputs, List.of(output), org.swav4j.model.plan.Arguments.NONE);
  }
}
