package org.swav4j.model.engine.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.Precision;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * Mixed precision: near to floats, floats at the edges, half the memory, refused where it must be.
 */
class OneDnnBf16Test {
  /** Eight bits of mantissa, and sums of rounded numbers. */
  private static final double TOLERANCE = 0.02;

  private Engine engine;
  private final PlanChecks checks = new PlanChecks();

  @BeforeEach
  void needsAProcessorWithBf16() {
    assumeTrue(Dnnl.isa().hasBf16(), "this processor has no bf16");
    engine = new OneDnnEngine(Precision.BF16);
  }

  @ParameterizedTest
  @CsvSource({
    "3, 1, 16, 3, 1, 1, 9, 8", "3, 3, 64, 7, 2, 3, 9, 8", "3, 16, 19, 3, 2, 1, 9, 8",
    "3, 64, 64, 1, 1, 0, 9, 8", "32, 64, 70, 3, 1, 1, 2, 2", "32, 70, 64, 3, 2, 1, 4, 4",
    "32, 64, 130, 3, 1, 1, 8, 7", "32, 70, 64, 1, 1, 0, 9, 8", "32, 64, 130, 1, 2, 0, 9, 8"
  })
  void convolutionIsNearToLoops(int n, int c, int o, int k, int stride, int pad, int h, int w) {
    Plan plan = checks.convolutionBothWays(n, c, o, k, stride, pad, h, w);
    checks.assertMatches(engine, TOLERANCE, plan);
  }

  @ParameterizedTest
  @CsvSource({"16", "19", "64"})
  void aBlockForwardIsNearToLoops(int c) {
    Value x = checks.input(4, 3, 9, 8);
    Value conv = checks.convolution(x, checks.parameter(3, 3, 3, c), 1, 1);
    Value norm = checks.result(conv.shape());
    Value mean = checks.result(c);
    Value variance = checks.result(c);
    checks.op(
        OpType.BATCH_NORM,
        Arguments.epsilon(1e-5).withRelu(),
        List.of(conv, checks.parameter(c), checks.parameter(c)),
        norm,
        mean,
        variance);
    Value sum = checks.result(conv.shape());
    checks.op(OpType.ADD, Arguments.NONE.withRelu(), List.of(norm, conv), sum);
    Value pool = checks.result(4, c, 5, 4);
    checks.op(OpType.MAX_POOL, Arguments.window(3, 2, 1), List.of(sum), pool);
    Value features = checks.result(4, c);
    checks.op(OpType.GLOBAL_MEAN, Arguments.NONE, List.of(pool), features);
    Value scores = checks.result(4, 7);
    checks.op(
        OpType.MATMUL,
        Arguments.transpose(false, true),
        List.of(features, checks.parameter(7, c)),
        scores);
    Plan plan = checks.plan(mean, variance, sum, pool, features, scores);
    checks.assertMatches(engine, TOLERANCE, plan);
    try (Execution execution = engine.prepare(plan)) {
      plan.outputs()
          .forEach(v -> assertThat(execution.array(v).dataType()).isEqualTo(DataType.FLOAT));
    }
  }

  /**
   * Rounding to eight bits turns the gradient a little at each layer, at random: seen 0.94. The
   * control is the same step in floats by other kernels: if bf16 weren't used, ours were as near.
   */
  @Test
  void aStepsScoresAndGradientsPointWhereFloatsDo() {
    Map<String, double[]> ours = StepSnapshot.of(StepSnapshot.SMALL, engine, DataType.FLOAT);
    Map<String, double[]> floats =
        StepSnapshot.of(StepSnapshot.SMALL, new OneDnnEngine(), DataType.FLOAT);
    assertThat(ours.get("loss")[0] / floats.get("loss")[0]).isBetween(0.98, 1.02);
    assertThat(cosine(ours, floats, "scores")).isGreaterThan(0.998);
    assertThat(cosine(ours, floats, "gradient")).isGreaterThan(0.9);
    Map<String, double[]> control =
        StepSnapshot.of(StepSnapshot.SMALL, new Nd4jEngine(), DataType.FLOAT);
    for (String what : List.of("scores", "gradient")) {
      assertThat(1 - cosine(ours, floats, what))
          .as(what)
          .isGreaterThan(100 * Math.abs(1 - cosine(control, floats, what)))
          .isGreaterThan(1e-6);
    }
  }

  private static double cosine(Map<String, double[]> a, Map<String, double[]> b, String prefix) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (String key : b.keySet()) {
      if (key.startsWith(prefix)) {
        double[] x = a.get(key);
        double[] y = b.get(key);
        for (int i = 0; i < x.length; i++) {
          dot += x[i] * y[i];
          aa += x[i] * x[i];
          bb += y[i] * y[i];
        }
      }
    }
    return dot / Math.sqrt(aa * bb);
  }

  @Test
  void hiddenImagesTakeHalfTheMemory() {
    // Large ones: what a convolution works in doesn't grow with its images.
    Value x = checks.input(8, 16, 64, 64);
    Value y = checks.convolution(x, checks.parameter(3, 3, 16, 16), 1, 1);
    for (int i = 0; i < 3; i++) {
      y = checks.convolution(y, checks.parameter(3, 3, 16, 16), 1, 1);
    }
    Value mean = checks.result(8, 16);
    checks.op(OpType.GLOBAL_MEAN, Arguments.NONE, List.of(y), mean);
    Plan plan = checks.plan(mean);
    try (Execution half = engine.prepare(plan);
        Execution whole = new OneDnnEngine().prepare(plan)) {
      long input = x.bytes();
      assertThat(half.bytes() - input).isLessThan((long) (0.6 * (whole.bytes() - input)));
    }
  }

  /** Run with oneDNN's instruction set capped. */
  static final class Capped {
    public static void main(String[] arguments) {
      try {
        new OneDnnEngine(Precision.BF16);
      } catch (IllegalArgumentException e) {
        System.out.println("[" + e.getMessage() + "]");
      }
    }
  }

  @Test
  void aProcessorWithoutItIsRefused() throws IOException, InterruptedException {
    OtherJvm.Outcome outcome =
        OtherJvm.run(Map.of("DNNL_MAX_CPU_ISA", "AVX512_CORE"), e -> true, Capped.class);
    assertThat(outcome.output())
        .contains("precision bf16 needs a processor with AVX512-BF16 or AMX, this one has AVX-512 ")
        .contains("choose precision float]");
  }
}
