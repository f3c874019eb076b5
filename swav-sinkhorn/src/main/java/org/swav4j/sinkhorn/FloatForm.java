package org.swav4j.sinkhorn;

import java.util.Arrays;

/**
 * A form of the iteration on floats: in which units exponentials are taken, and what that asks for
 * between passes. The scalings themselves are the same in both forms.
 */
abstract class FloatForm implements IterationLoop.Scalings {
  static final double LOG2_E = 1 / Math.log(2);

  final FloatKernels kernels;
  final FloatPasses passes;
  private final double[] bounds = new double[2];

  // Of a call.
  double[] b;
  double epsilon;
  Reduction reduction;

  FloatForm(FloatKernels kernels, FloatPasses passes) {
    this.kernels = kernels;
    this.passes = passes;
  }

  void set(double[] b, double epsilon, Reduction reduction) {
    this.b = b;
    this.epsilon = epsilon;
    this.reduction = reduction;
  }

  /** Turns a row of scores into exponentials, in place. */
  abstract void exponentials(float[] m, int row, WorkerSpace space);

  /** The sum of a row that the kernels found to have this one; the row may change for it. */
  float rowSum(float sum, float[] m, int row, WorkerSpace space) {
    return sum;
  }

  /** Row potentials after the last run, in the unit of the scores. */
  abstract double[] f();

  /** Column potentials after the last run, in the unit of the scores. */
  abstract double[] g();

  @Override
  public void columns() {
    float[] v = passes.work().v();
    double[] sums = passes.work().sums();
    for (int j = 0; j < sums.length; j++) {
      v[j] = (float) (b[j] / sums[j]);
    }
  }

  @Override
  public boolean rows(boolean more) {
    if (!more && passes.hasTarget()) {
      passes.plan(this);
      return true;
    }
    passes.rows(this, more);
    if (more) {
      reduction.sum(passes.work().sums());
    }
    return true;
  }

  @Override
  public double columnError() {
    float[] v = passes.work().v();
    double[] sums = passes.work().sums();
    double error = 0;
    for (int j = 0; j < sums.length; j++) {
      error += Math.abs(v[j] * sums[j] - b[j]);
    }
    return error;
  }

  /** The larger of each value over all shards; read {@link #bound} for the second. */
  double largest(double first, double second) {
    bounds[0] = first;
    bounds[1] = second;
    reduction.max(bounds);
    return bounds[0];
  }

  /** The second value that {@link #largest} found. */
  double bound() {
    return bounds[1];
  }

  double rowSpread() {
    return passes.masses() == null ? 0 : Safety.spread(passes.masses());
  }

  static double[] potentials(float[] scalings, int length, double perNat) {
    double[] potentials = new double[length];
    Arrays.setAll(potentials, i -> perNat * Math.log(scalings[i]));
    return potentials;
  }
}
