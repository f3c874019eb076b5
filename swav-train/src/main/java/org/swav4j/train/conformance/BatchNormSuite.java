package org.swav4j.train.conformance;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.Layers;
import org.swav4j.model.engine.Engine;

/** {@code batch_norm.json}: training passes, running statistics and inference. */
final class BatchNormSuite implements Suite {
  private static final double EPSILON = 1e-5;
  private static final double MOMENTUM = 0.1;

  @Override
  public boolean usesEngine() {
    return true;
  }

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    for (Fixture c : file.objects("cases")) {
      c.skip("shape");
      to.run(c.text("name"), () -> norm(c, to, engine));
    }
  }

  private static void norm(Fixture c, Comparisons to, Engine engine) throws NotCovered {
    if (c.number("eps") != EPSILON || c.number("momentum") != MOMENTUM) {
      throw new NotCovered(
          "eps "
              + c.number("eps")
              + ", momentum "
              + c.number("momentum")
              + ": the network's batch norm has 1e-5 and 0.1");
    }
    Arithmetic arithmetic = to.arithmetic();
    List<INDArray> x = c.arrays("x", arithmetic);
    List<INDArray> dy = c.arrays("dy", arithmetic);
    Fixture expected = c.object(arithmetic.key());
    List<Fixture> steps = expected.objects("train_steps");
    INDArray gamma = c.array("gamma", arithmetic);
    INDArray beta = c.array("beta", arithmetic);
    try (Layers.BatchNorm norm = new Layers.BatchNorm(engine, gamma, beta, x.get(0).shape())) {
      for (int i = 0; i < steps.size(); i++) {
        Fixture step = steps.get(i);
        if (step.skip("running_var_if_biased")) {
          to.gap("what a wrong running variance would be (running_var_if_biased)");
        }
        Layers.BatchNorm.Pass pass = norm.train(x.get(i), dy.get(i));
        String where = "pass " + i + " ";
        check(step, "y", where, pass.y(), to);
        check(step, "dx", where, pass.dx(), to);
        check(step, "dgamma", where, pass.dgamma(), to);
        check(step, "dbeta", where, pass.dbeta(), to);
        check(step, "running_mean", where, norm.runningMean(), to);
        check(step, "running_var", where, norm.runningVariance(), to);
        double n = (double) x.get(i).length() / gamma.length();
        optional(step, "batch_mean", where, pass.mean(), to);
        optional(step, "batch_var_biased", where, pass.variance(), to);
        optional(step, "batch_var_unbiased", where, pass.variance().mul(n / (n - 1)), to);
      }
      check(expected, "eval_of_x0_after_both", "", norm.infer(x.get(0)), to);
    }
  }

  private static void check(
      Fixture step, String name, String where, INDArray actual, Comparisons to) {
    to.values(where + name, actual, step.array(name, Arithmetic.DOUBLE));
  }

  private static void optional(
      Fixture step, String name, String where, INDArray actual, Comparisons to) {
    if (step.has(name)) {
      check(step, name, where, actual, to);
    }
  }
}
