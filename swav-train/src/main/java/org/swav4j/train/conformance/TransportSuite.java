package org.swav4j.train.conformance;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.sinkhorn.Certificate;
import org.swav4j.sinkhorn.OptimalTransportProblem;
import org.swav4j.sinkhorn.SinkhornSolver;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.sinkhorn.TransportPlan;
import org.swav4j.train.conformance.Arithmetic.Tolerance;

/** {@code entropic_ot.json}: general marginals, by {@link SinkhornSolver}. */
final class TransportSuite implements Suite {
  /** Residuals are recorded with six digits, costs with eight at least. */
  private static final Tolerance SIX_DIGITS = new Tolerance(1e-6, 1);

  private static final Tolerance EIGHT_DIGITS = new Tolerance(1e-8, 1);

  /** Enough for codes to have settled to the last digit recorded. */
  private static final int MANY_ITERATIONS = 5000;

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    for (Fixture c : file.objects("cases")) {
      if (c.skip("pot_row_marginal_max_err", "pot_col_marginal_max_err", "pot_log_max_abs_diff")) {
        to.gap("the other library's own residuals (pot_*)");
      }
      OptimalTransportProblem problem =
          OptimalTransportProblem.ofCosts(c.array("cost", to.arithmetic()), c.number("reg"))
              .withMarginals(
                  c.array("row_marginal", Arithmetic.DOUBLE).toDoubleVector(),
                  c.array("col_marginal", Arithmetic.DOUBLE).toDoubleVector());
      to.run(c.text("name"), () -> optimum(c, problem, to));
      if (c.has("finite_iterations_col_then_row")) {
        for (Fixture t : c.objects("finite_iterations_col_then_row")) {
          int iterations = t.count("iterations");
          to.run(
              c.text("name") + " after " + iterations + " iterations",
              () -> after(t, new SinkhornSolver(iterations).solve(problem), to));
        }
      }
    }
    if (file.has("swav_limit")) {
      Fixture limit = file.object("swav_limit");
      limit.skip("codes_5000_iterations_max_abs_diff");
      to.run("swav_limit", () -> limit(limit, to));
    }
  }

  private static void optimum(Fixture c, OptimalTransportProblem problem, Comparisons to) {
    boolean exact = to.arithmetic() == Arithmetic.DOUBLE;
    TransportPlan solved = SinkhornSolver.toTolerance(exact ? 1e-14 : 1e-8, 200_000).solve(problem);
    to.codes("plan", solved.plan(), c.array("plan_f64", Arithmetic.DOUBLE));
    Certificate found = solved.certificate();
    Tolerance digits = exact ? EIGHT_DIGITS : to.arithmetic().codes();
    if (c.has("transport_cost")) {
      to.rounded("transport cost", found.transportCost(), c.number("transport_cost"), digits);
    }
    if (c.has("entropy")) {
      to.rounded("entropy", found.entropy(), c.number("entropy"), digits);
    }
    if (c.has("objective_cost_minus_reg_entropy")) {
      double objective = found.transportCost() - problem.epsilon() * found.entropy();
      to.rounded("objective", objective, c.number("objective_cost_minus_reg_entropy"), digits);
    }
  }

  private static void after(Fixture t, TransportPlan solved, Comparisons to) {
    to.codes("plan", solved.plan(), t.array("plan_f64", Arithmetic.DOUBLE));
    Tolerance digits = to.arithmetic() == Arithmetic.DOUBLE ? SIX_DIGITS : to.arithmetic().codes();
    if (t.has("row_marginal_l1_err")) {
      double rows = t.number("row_marginal_l1_err");
      to.rounded("row residual", solved.certificate().rowResidual(), rows, digits);
    }
    if (t.has("col_marginal_l1_err")) {
      double columns = t.number("col_marginal_l1_err");
      to.rounded("column residual", solved.certificate().columnResidual(), columns, digits);
    }
  }

  private static void limit(Fixture c, Comparisons to) {
    INDArray scores = c.array("scores", to.arithmetic());
    INDArray codes = Nd4j.create(to.arithmetic().type(), scores.shape());
    new SwavCodes(c.number("eps"), MANY_ITERATIONS).assign(scores, codes);
    to.codes("codes in the limit", codes, c.array("B_times_plan_f64", Arithmetic.DOUBLE));
  }
}
