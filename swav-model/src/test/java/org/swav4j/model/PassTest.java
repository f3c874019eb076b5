package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.plan.DropUnread;
import org.swav4j.model.plan.FuseRelu;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Pass;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.RecogniseRowNormalisation;
import org.swav4j.model.plan.RecogniseSwappedPrediction;
import org.swav4j.model.plan.RecomputeNorms;
import org.swav4j.model.plan.RecomputeSums;
import org.swav4j.model.plan.Value;

/** Each pass must leave every output of a whole training step as it was, on each engine. */
class PassTest {
  private static final List<Pass> PASSES =
      List.of(
          new RecogniseRowNormalisation(),
          new RecogniseSwappedPrediction(),
          new DropUnread(),
          new FuseRelu(),
          new RecomputeSums(),
          new RecomputeNorms());

  /** As the reader gives it. */
  private static final Plan READ = plan(DataType.DOUBLE);

  private static final Plan READ_IN_FLOATS = plan(DataType.FLOAT);

  /** With SwAV's own ops found. */
  private static final Plan PLAN = afterPasses(READ, 3);

  private static Plan plan(DataType type) {
    SwavConfig config = new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 7, 5, 6, 0.1);
    SwavWeights weights = SwavWeights.initialise(config, 5, type);
    List<CropGroup> crops = List.of(new CropGroup(2, 8), new CropGroup(1, 5));
    SwavGraph graph = new SwavGraph(weights, new Views(crops, 3), new SwappedPrediction(2, 0.1));
    List<String> forward = new ArrayList<>(List.of(Objective.EMBEDDINGS, SwappedPrediction.SCORES));
    graph.moments().forEach(m -> forward.addAll(List.of(m.mean(), m.variance())));
    return PlanReader.read(graph.sameDiff(), weights.parameters(), forward, SwavGraph.LOSS).plan();
  }

  private static Plan afterPasses(Plan plan, int passes) {
    for (Pass pass : PASSES.subList(0, passes)) {
      plan = pass.apply(plan);
    }
    return plan;
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
    assertSameOutputs(new Nd4jEngine(), 1e-11, before, after);
  }

  /** To a tolerance relative to an output's norm, or to a hundredth of the largest norm. */
  private static void assertSameOutputs(Engine engine, double tolerance, Plan before, Plan after) {
    try (Execution plain = engine.prepare(before);
        Execution passed = engine.prepare(after)) {
      run(plain, before);
      run(passed, after);
      assertThat(after.outputs()).isEqualTo(before.outputs());
      double largest =
          before.outputs().stream()
              .mapToDouble(v -> plain.array(v).norm2Number().doubleValue())
              .max()
              .orElseThrow();
      for (Value output : before.outputs()) {
        INDArray expected = plain.array(output);
        double norm = Math.max(expected.norm2Number().doubleValue(), largest / 100);
        assertThat(passed.array(output).sub(expected).norm2Number().doubleValue() / norm)
            .as(output.toString())
            .isLessThan(tolerance);
      }
    }
  }

  static Stream<Arguments> passesOnEachEngine() {
    return GraphChecks.engines().stream()
        .flatMap(on -> IntStream.range(0, PASSES.size()).mapToObj(i -> Arguments.of(on, i)));
  }

  @ParameterizedTest
  @MethodSource("passesOnEachEngine")
  void aPassChangesThePlanAndNoOutput(GraphChecks.On on, int pass) {
    Plan before = afterPasses(on.type() == DataType.DOUBLE ? READ : READ_IN_FLOATS, pass);
    Plan after = PASSES.get(pass).apply(before);
    assertThat(after.toString()).isNotEqualTo(before.toString());
    assertSameOutputs(on.engine(), on.type() == DataType.DOUBLE ? 1e-9 : 1e-3, before, after);
  }

  @Test
  void theStandardPassesAreTheseInThisOrder() {
    assertThat(Pass.standard().apply(READ).toString())
        .isEqualTo(afterPasses(READ, PASSES.size()).toString());
  }

  @Test
  void swavsStepNeedsNoOpOfNd4jsOwn() {
    assertThat(count(READ, OpType.ND4J)).isEqualTo(4 + 6 + 5 + 4);
    assertThat(count(PLAN, OpType.ND4J)).isZero();
    assertThat(count(PLAN, OpType.SWAPPED_PREDICTION)).isEqualTo(1);
    assertThat(count(PLAN, OpType.NORMALIZE_ROWS)).isEqualTo(1);
    assertThat(count(PLAN, OpType.NORMALIZE_ROWS_BP)).isEqualTo(1);
  }

  private static long count(Plan plan, OpType type) {
    return plan.ops().stream().filter(op -> op.type() == type).count();
  }

  @Test
  void recomputedNormsTakeLessMemory() {
    Plan fused = new FuseRelu().apply(PLAN);
    Plan leaner = new RecomputeNorms().apply(fused);
    assertThat(kept(leaner)).isLessThan(kept(fused) * 4 / 5);
  }

  @Test
  void recomputedSumsTakeLessMemory() {
    Plan lean = new RecomputeNorms().apply(new FuseRelu().apply(PLAN));
    Plan leaner = new RecomputeNorms().apply(new RecomputeSums().apply(new FuseRelu().apply(PLAN)));
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
