package org.swav4j.sinkhorn;

import java.util.Arrays;

/**
 * Scalings of exp((s - F_i - G_k) / epsilon), with a gauge for each row and each column.
 *
 * <p>G_k = max_i s puts a 1 into every column; rows that are then too low get F_i = max_k (s -
 * G_k), and what the scalings gather beyond 2^±{@value #ABSORB} is moved into the gauges
 * (stabilised scaling, Schmitzer, arXiv 1610.06519, section 3). Gauges are only a change of units
 * and so may be rounded, which potentials may not.
 */
final class LogDomainForm extends FloatForm {
  private static final int ABSORB = 30;

  /**
   * Row sum in the columns' gauge below which a row's entries are too small to have their digits.
   */
  private static final float LOW_ROW = 0x1p-40f;

  /** Gauges in epsilons above which a float can't follow the potentials' last digits. */
  private static final double GAUGE_LIMIT = 1 << 17;

  /** Spread of the masses, in nats, above which gauged entries come near the least float. */
  private static final double MASS_LIMIT = 40;

  private float[] rowGauge = {};
  private float[] columnGauge = {};
  private float scale;
  private float scaleRest;
  private boolean columnsAsMaxima;
  private boolean firstRows;

  LogDomainForm(FloatKernels kernels, FloatPasses passes) {
    super(kernels, passes);
  }

  /** Column maxima of the scores; false if a score, of any shard, is not finite. */
  boolean measure(double[] b, double epsilon, Reduction reduction) {
    set(b, epsilon, reduction);
    double wrong = largest(passes.maxima() ? 0 : 1, 0);
    reduction.max(passes.work().sums());
    return wrong == 0;
  }

  /**
   * Takes the column maxima as gauges and finds the column sums relative to them.
   *
   * @return false if floats can't hold the gauges, or masses are too unequal
   */
  boolean begin() {
    double perEpsilon = LOG2_E / epsilon;
    scale = (float) perEpsilon;
    scaleRest = (float) (perEpsilon - scale);
    largest(0, rowSpread());
    if (bound() + Safety.spread(b) > MASS_LIMIT) {
      return false;
    }
    FloatWork work = passes.work();
    if (rowGauge.length != work.u().length || columnGauge.length != work.v().length) {
      rowGauge = new float[work.u().length];
      columnGauge = new float[work.v().length];
    }
    for (int j = 0; j < work.sums().length; j++) {
      columnGauge[j] = (float) work.sums()[j];
    }
    pad(columnGauge);
    Arrays.fill(rowGauge, 0);
    if (tooWide(columnGauge, work.sums().length)) {
      return false;
    }
    columnsAsMaxima = true;
    firstRows = true;
    passes.unscaled(this);
    reduction.sum(work.sums());
    return true;
  }

  private void pad(float[] columns) {
    int k = passes.work().sums().length;
    Arrays.fill(columns, k, columns.length, columns[k - 1]);
  }

  private boolean tooWide(float[] gauge, int length) {
    double widest = 0;
    for (int j = 0; j < length; j++) {
      widest = Math.max(widest, Math.abs(gauge[j]));
    }
    return largest(widest, 0) / epsilon > GAUGE_LIMIT;
  }

  @Override
  void exponentials(float[] m, int row, WorkerSpace space) {
    if (columnsAsMaxima && rowGauge[row] == 0) {
      kernels.expBelow(m, columnGauge, m, scale, space.space());
    } else {
      kernels.expGauged(m, rowGauge[row], columnGauge, m, scale, scaleRest, space.space());
    }
  }

  /** Gives a low row, the first time, a gauge of its own and its exponentials anew. */
  @Override
  float rowSum(float sum, float[] m, int row, WorkerSpace space) {
    if (!firstRows || !(sum < LOW_ROW)) {
      return sum;
    }
    passes.read(row, m);
    rowGauge[row] = kernels.maxDifference(m, columnGauge);
    exponentials(m, row, space);
    return kernels.dot(m, passes.work().v());
  }

  @Override
  public void columns() {
    FloatWork work = passes.work();
    if (!firstRows && absorb(work.u(), rowGauge, rowGauge.length)) {
      passes.forget();
    }
    super.columns();
    if (absorb(work.v(), columnGauge, work.sums().length)) {
      pad(columnGauge);
      columnsAsMaxima = false;
      passes.forget();
    }
  }

  @Override
  public boolean rows(boolean more) {
    super.rows(more);
    boolean first = firstRows;
    firstRows = false;
    return !first || !tooWide(rowGauge, rowGauge.length);
  }

  /** Moves scalings that have grown or shrunk too far into their gauges; whether any had. */
  private boolean absorb(float[] scaling, float[] gauge, int length) {
    float limit = Math.scalb(1f, ABSORB);
    boolean any = false;
    for (int j = 0; j < length; j++) {
      any |= scaling[j] > limit || scaling[j] < 1 / limit;
    }
    if (!any) {
      return false;
    }
    for (int j = 0; j < length; j++) {
      double exact = gauge[j] - epsilon * Math.log(scaling[j]);
      float rounded = (float) exact;
      gauge[j] = rounded;
      scaling[j] = (float) Math.exp((rounded - exact) / epsilon);
    }
    return true;
  }

  @Override
  double[] f() {
    return ungauged(potentials(passes.work().u(), rowGauge.length, epsilon), rowGauge);
  }

  @Override
  double[] g() {
    int columns = passes.work().sums().length;
    return ungauged(potentials(passes.work().v(), columns, epsilon), columnGauge);
  }

  private static double[] ungauged(double[] potentials, float[] gauge) {
    for (int j = 0; j < potentials.length; j++) {
      potentials[j] -= gauge[j];
    }
    return potentials;
  }
}
