package org.swav4j.sinkhorn;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;

/** Scalings of exp((s - centre) / epsilon), with one centre for all scores. */
final class KernelForm extends FloatForm {
  /** Exponent above which a better centre is sought. Below it, products with the scalings fit. */
  private static final double HIGHEST = 40;

  private float centre;
  private float scale;

  KernelForm(FloatKernels kernels, FloatPasses passes) {
    super(kernels, passes);
  }

  /**
   * The first pass. Its centre is a guess, which the range of exponents found in the pass confirms
   * or corrects.
   *
   * @return the range in nats that {@link Safety} asks for; a NaN or infinite if a score is. Column
   *     sums are there if it is safe
   */
  double begin(double[] b, double epsilon, Reduction reduction) {
    set(b, epsilon, reduction);
    scale = (float) (LOG2_E / epsilon);
    centre = (float) largest(firstRowsMaximum(), rowSpread());
    double spread = bound() + Safety.spread(b);
    while (true) {
      WorkerSpace[] workers = passes.work().workers();
      for (WorkerSpace space : workers) {
        Arrays.fill(space.low(), Float.POSITIVE_INFINITY);
        Arrays.fill(space.high(), Float.NEGATIVE_INFINITY);
      }
      passes.unscaled(this);
      float least = Float.POSITIVE_INFINITY;
      float most = Float.NEGATIVE_INFINITY;
      for (WorkerSpace space : workers) {
        least = Math.min(least, kernels.least(space.low()));
        most = Math.max(most, kernels.largest(space.high()));
      }
      double below = largest(-least, most);
      double above = bound();
      double range = (below + above) / LOG2_E + spread;
      if (!(range <= Safety.limit(DataType.FLOAT))) {
        return range;
      }
      if (above <= HIGHEST) {
        reduction.sum(passes.work().sums());
        return range;
      }
      centre += (float) (above / scale);
    }
  }

  private float firstRowsMaximum() {
    float[] first = passes.work().workers()[0].rows()[0];
    passes.read(0, first);
    return kernels.largest(first);
  }

  @Override
  void exponentials(float[] m, int row, WorkerSpace space) {
    kernels.exp(m, m, centre, scale, space.low(), space.high(), space.space());
  }

  @Override
  double[] f() {
    return potentials(passes.work().u(), passes.work().u().length, LOG2_E / scale);
  }

  @Override
  double[] g() {
    double[] g = potentials(passes.work().v(), passes.work().sums().length, LOG2_E / scale);
    for (int j = 0; j < g.length; j++) {
      g[j] -= centre;
    }
    return g;
  }
}
