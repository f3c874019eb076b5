package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.plan.FuseRelu;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.RecogniseRowNormalisation;
import org.swav4j.model.plan.RecogniseSwappedPrediction;
import org.swav4j.model.plan.RecomputeNorms;
import org.swav4j.model.plan.RecomputeSums;
import org.swav4j.model.plan.Value;

/** Each pass must leave every output of a whole training step as it was. */
class PassTest {
  private static final Plan PLAN = plan();

  private static Plan plan() {
    SwavConfig config = new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 7, 5, 6, 0.1);
    SwavWeights weights = SwavWeights.initialise(config, 5, DataType.DOUBLE);
    List<CropGroup> crops = List.of(new CropGroup(2, 8), new CropGroup(1, 5));
    SwavGraph graph = new SwavGraph(weights, new Views(crops, 3), new SwappedPrediction(2, 0.1));
    List<String> forward = new ArrayList<>(List.of(SwavGraph.EMBEDDINGS, SwappedPrediction.SCORES));
    graph.moments().forEach(m -> forward.addAll(List.of(m.mean(), m.variance())));
    Plan read =
        PlanReader.read(graph.sameDiff(), weights.parameters(), forward, SwavGraph.LOSS).plan();
    return new RecogniseSwappedPrediction().apply(new RecogniseRowNormalisation().apply(read));
  }

  private static void run(Execution execution, Plan plan) {
    Random random = new Random(3);
    for (Value input : plan.inputs()) {
      INDArray array = execution.array(input);
      for (long i = 0; i < array.length(); i++) {
        array.data().put(i, random.nextDouble());
      }
    }
    execution.forward();
    execution.backward();
  }

  private static void assertSameOutputs(Plan before, Plan after) {
    try (Execution plain = new Nd4jEngine().prepare(before);
        Execution passed = new Nd4jEngine().prepare(after)) {
      run(plain, before);
      run(passed, after);
      assertThat(after.outputs()).isEqualTo(before.outputs());
      for (Value output : before.outputs()) {
        assertThat(passed.array(output).equalsWithEps(plain.array(output), 1e-12))
            .as(output.toString())
            .isTrue();
      }
    }
  }

  private static long count(Plan plan, OpType type) {
    return plan.ops().stream().filter(op -> op.type() == type).count();
  }

  @Test
  void fusedRectifiersGiveTheSameNumbers() {
    Plan fused = new FuseRelu().apply(PLAN);
    assertSameOutputs(PLAN, fused);
  }

  @Test
  void recomputedNormsGiveTheSameNumbersInLessMemory() {
    Plan fused = new FuseRelu().apply(PLAN);
    Plan leaner = new RecomputeNorms().apply(fused);
    assertSameOutputs(fused, leaner);
    assertThat(kept(leaner)).isLessThan(kept(fused) * 4 / 5);
  }

  @Test
  void recomputedSumsGiveTheSameNumbersInLessMemory() {
    Plan lean = new RecomputeNorms().apply(new FuseRelu().apply(PLAN));
    Plan leaner = new RecomputeNorms().apply(new RecomputeSums().apply(new FuseRelu().apply(PLAN)));
    assertSameOutputs(lean, leaner);
    assertThat(kept(leaner)).isLessThan(kept(lean) * 4 / 5);
  }

  @Test
  void aSumThatIsAnOutputIsKept() {
    Plan fused = new FuseRelu().apply(PLAN);
    Op sum =
        fused.forward().stream().filter(op -> op.type() == OpType.ADD).findFirst().orElseThrow();
    List<Value> outputs = new ArrayList<>(fused.outputs());
    outputs.add(sum.output());
    Plan plan = new Plan(fused.inputs(), outputs, fused.forward(), fused.backward());
    Plan leaner = new RecomputeSums().apply(plan);
    assertThat(leaner.backward()).anyMatch(op -> op.inputs().contains(sum.output()));
    assertSameOutputs(plan, new RecomputeNorms().apply(leaner));
  }

  /** Bytes that forward leaves for backward. */
  private static long kept(Plan plan) {
    return plan.forward().stream()
        .flatMap(op -> op.outputs().stream())
        .filter(v -> plan.backward().stream().anyMatch(op -> op.inputs().contains(v)))
        .mapToLong(Value::bytes)
        .sum();
  }

  @Test
  void noRectifierIsLeftAloneButThoseAfterAdditionsOnTheWayBack() {
    Plan fused = new FuseRelu().apply(PLAN);
    assertThat(count(PLAN, OpType.RELU)).isEqualTo(2 * 19 + 1);
    assertThat(count(fused, OpType.RELU)).isZero();
    // A block's last rectifier sends its gradient two ways, so it keeps an op of its own.
    assertThat(count(fused, OpType.RELU_BP)).isEqualTo(2 * 9);
  }

  @Test
  void anOutputIsNotFusedAway() {
    Op rectifier =
        PLAN.forward().stream().filter(op -> op.type() == OpType.RELU).findFirst().orElseThrow();
    List<Value> outputs = new ArrayList<>(PLAN.outputs());
    outputs.add(rectifier.input(0));
    Plan plan = new Plan(PLAN.inputs(), outputs, PLAN.forward(), PLAN.backward());
    assertThat(count(new FuseRelu().apply(plan), OpType.RELU)).isEqualTo(1);
  }
}
