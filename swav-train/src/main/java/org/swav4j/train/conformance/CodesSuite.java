package org.swav4j.train.conformance;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.sinkhorn.OptimalTransportProblem;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.sinkhorn.SinkhornSolver;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.sinkhorn.TransportPlan;
import org.swav4j.train.conformance.Arithmetic.Tolerance;
import org.swav4j.train.method.CodeAssigner;
import org.swav4j.train.method.CodeKind;

/** {@code sinkhorn.json}: codes by {@link SwavCodes}, plans by {@link SinkhornSolver}. */
final class CodesSuite implements Suite {
  /** Statistics are recorded with six digits at least. */
  private static final Tolerance RECORDED = new Tolerance(1e-6, 1);

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    Fixture inputs = file.object("inputs");
    for (Fixture c : file.objects("cases")) {
      if (c.skip(
          "plain_exp_f64_finite",
          "plain_exp_f32_finite",
          "plain_exp_f64_max_abs_diff",
          "plain_exp_f32_max_abs_diff",
          "global_max_shift_f64_finite",
          "global_max_shift_f32_finite",
          "global_max_shift_f32_max_abs_diff")) {
        to.gap("how other ways to compute the codes fare (plain_exp_*, global_max_shift_*)");
      }
      String input = c.text("input");
      to.run(c.text("name"), () -> codes(c, inputs.array(input, to.arithmetic()), to));
    }
    if (file.has("zero_iterations")) {
      file.skip("zero_iterations");
      to.gap("zero_iterations: codes take at least 1 iteration here");
    }
  }

  private static void codes(Fixture c, INDArray scores, Comparisons to) {
    double epsilon = c.number("eps");
    int iterations = c.count("iterations");
    INDArray codes = Nd4j.create(to.arithmetic().type(), c.count("B"), c.count("K"));
    new SwavCodes(epsilon, iterations).assign(scores, codes);
    INDArray exact = c.array("codes_f64", Arithmetic.DOUBLE);
    to.codes("codes", codes, exact);
    if (c.has("codes_f32")) {
      INDArray recorded = c.array("codes_f32", Arithmetic.FLOAT);
      if (to.arithmetic() == Arithmetic.FLOAT) {
        to.codes("codes recorded in float", codes, recorded);
      }
    }
    if (c.has("hard_codes_argmax")) {
      hard(c, scores, epsilon, iterations, to);
    }
    TransportPlan solved =
        new SinkhornSolver(iterations).solve(OptimalTransportProblem.ofScores(scores, epsilon));
    to.codes("plan times B", solved.plan().mul(codes.rows()), exact);
    if (c.has("stats_f64")) {
      statistics(c.object("stats_f64"), codes, solved, to);
    }
  }

  /** The codes of training with hard ones, against the recorded places of the ones. */
  private static void hard(
      Fixture c, INDArray scores, double epsilon, int iterations, Comparisons to) {
    INDArray codes = Nd4j.create(to.arithmetic().type(), c.count("B"), c.count("K"));
    SwavCodes solver = new SwavCodes(epsilon, iterations);
    try (CodeAssigner assigner = new CodeAssigner(solver, Reduction.whole(), CodeKind.HARD)) {
      assigner.assign(0, scores, null, null, codes);
    }
    INDArray best = c.array("hard_codes_argmax", Arithmetic.DOUBLE);
    INDArray expected = Nd4j.zeros(to.arithmetic().type(), codes.shape());
    for (int row = 0; row < codes.rows(); row++) {
      expected.putScalar(row, best.getLong(row), 1);
    }
    to.values("hard codes", codes, expected);
  }

  private static void statistics(Fixture s, INDArray codes, TransportPlan solved, Comparisons to) {
    INDArray loads = codes.sum(0);
    double b = codes.rows();
    double target = b / codes.columns();
    double least = loads.minNumber().doubleValue();
    double most = loads.maxNumber().doubleValue();
    recorded(s, "prototype_load_target", target, to);
    recorded(s, "prototype_load_min", least, to);
    recorded(s, "prototype_load_max", most, to);
    recorded(s, "prototype_marginal_max_abs_err", Math.max(most - target, target - least) / b, to);
    recorded(s, "prototype_marginal_l1_err", solved.certificate().columnResidual(), to);
    recorded(s, "sample_sum_max_abs_err", solved.certificate().rowResidual(), to);
    recorded(s, "mean_entropy_nats", solved.certificate().entropy() - Math.log(b), to);
    recorded(s, "mean_max_code", codes.max(1).meanNumber().doubleValue(), to);
  }

  /** In double: float sums of many codes don't have the recorded digits. */
  private static void recorded(Fixture s, String name, double actual, Comparisons to) {
    if (s.has(name)) {
      double expected = s.number(name);
      if (to.arithmetic() == Arithmetic.DOUBLE) {
        to.rounded(name, actual, expected, RECORDED);
      }
    }
  }
}
