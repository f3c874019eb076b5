package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.buffer.DataType;

/**
 * Sinkhorn's iterations for float matrices in host memory, fused: one read of the matrix per
 * iteration, threaded, vectorised, nothing allocated after the first call for a shape.
 *
 * <pre>
 * pass 1          rows → exp → column sums c;                      v_k = b_k / c_k
 * pass 2, 3, …    rows → u_i = a_i / (row · v);  c += u_i row;     v_k = b_k / c_k
 * last pass       rows → u_i = a_i / (row · v);  plan = u_i row v
 * </pre>
 *
 * <p>{@link IterationLoop} is the order of the passes, {@link FloatPasses} what is done with rows,
 * {@link FloatWork} the arrays. {@link KernelForm} begins and measures the range of the exponents;
 * where {@link Safety} doesn't hold, {@link LogDomainForm} begins anew. Where floats can't follow
 * either, the caller takes {@link DoubleSinkhorn}.
 *
 * <p>Not thread-safe; masses must be positive.
 */
final class FloatSinkhorn {
  /** Below, 1/epsilon is no float. */
  private static final double SMALLEST_EPSILON = 1e-30;

  private final FloatPasses passes;
  private final KernelForm kernelForm;
  private final LogDomainForm logDomainForm;
  private final IterationLoop loop = new IterationLoop();
  private FloatForm taken;
  private Iterations stop;

  FloatSinkhorn(FloatKernels kernels, int threads) {
    passes = new FloatPasses(kernels, threads);
    kernelForm = new KernelForm(kernels, passes);
    logDomainForm = new LogDomainForm(kernels, passes);
  }

  /** How a run ended. */
  enum Outcome {
    DONE,
    /** A score, of any shard, is a NaN or infinite. */
    NOT_FINITE,
    /** Epsilon is so small beside the scores, or masses are so unequal, that it takes doubles. */
    NEEDS_DOUBLE
  }

  /**
   * Iterates, and writes the last rows' plan.
   *
   * @param a masses of the rows, or null for 1 each
   * @param b masses of the columns
   * @param plan where the plan's last rows go, or null: then {@link #potentials} has the result
   */
  Outcome run(
      HostMatrix scores,
      double[] a,
      double[] b,
      double epsilon,
      Iterations stop,
      Form form,
      Reduction reduction,
      HostMatrix plan) {
    if (epsilon < SMALLEST_EPSILON) {
      return Outcome.NEEDS_DOUBLE;
    }
    this.stop = stop;
    passes.begin(scores, a, plan);
    try {
      Outcome begun = begin(b, epsilon, form, reduction);
      if (begun != Outcome.DONE) {
        return begun;
      }
      return loop.run(stop, taken) ? Outcome.DONE : Outcome.NEEDS_DOUBLE;
    } finally {
      passes.end();
    }
  }

  /** Takes the form that the range of the scores allows and has its column sums ready. */
  private Outcome begin(double[] b, double epsilon, Form form, Reduction reduction) {
    if (form != Form.LOG_DOMAIN) {
      taken = kernelForm;
      double range = kernelForm.begin(b, epsilon, reduction);
      // Neither is a NaN.
      if (range <= Safety.limit(DataType.FLOAT)) {
        return Outcome.DONE;
      }
      if (form == Form.KERNEL) {
        if (!logDomainForm.measure(b, epsilon, reduction)) {
          return Outcome.NOT_FINITE;
        }
        throw Safety.kernelRefused(range, Safety.limit(DataType.FLOAT));
      }
    }
    taken = logDomainForm;
    if (!logDomainForm.measure(b, epsilon, reduction)) {
      return Outcome.NOT_FINITE;
    }
    return logDomainForm.begin() ? Outcome.DONE : Outcome.NEEDS_DOUBLE;
  }

  /** The potentials of the last run, which must have been one without a plan to write. */
  Potentials potentials() {
    return new Potentials(taken.f(), taken.g(), loop.ending(stop), taken == logDomainForm);
  }
}
