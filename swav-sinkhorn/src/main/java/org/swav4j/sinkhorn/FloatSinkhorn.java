package org.swav4j.sinkhorn;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Sinkhorn's iterations for float matrices in host memory, fused: one read of the matrix per
 * iteration, threaded, vectorised, nothing allocated after the first call for a shape.
 *
 * <pre>
 * pass 1          rows → exp → column sums c;                      v_k = b_k / c_k
 * pass 2, 3, …    rows → u_i = a_i / (row · v);  c += u_i row;     v_k = b_k / c_k
 * last pass       rows → u_i = a_i / (row · v);  code = u_i row v
 * </pre>
 *
 * <p>A pass runs over chunks of rows, any chunk on any thread; each has column sums of its own,
 * added pair by pair up a tree, so that the codes don't depend on the number of threads, and little
 * but a top of the tree passes from core to core. Within a chunk four rows at a time are read,
 * exponentiated and used while they are in the nearest cache. A matrix that fits the outer caches
 * keeps its exponentials; a larger one computes them again in each pass, which costs less than
 * writing and reading them.
 *
 * <p><b>The kernel form</b> is exp((s - c) / epsilon) with c from the first row. The first pass
 * also measures the range of the exponents; where {@link Safety} doesn't hold, the log domain
 * begins anew.
 *
 * <p><b>The log domain</b> is the same iteration on exp((s - F_i - G_k) / epsilon). The gauge G_k =
 * max_i s puts a 1 into every column; rows that are then too low get F_i = max_k (s - G_k), and
 * what the scalings gather beyond 2^±{@value #ABSORB} is moved into the gauges (stabilised scaling,
 * Schmitzer, arXiv 1610.06519, section 3). Gauges are only a change of units and so may be rounded,
 * which potentials may not. Where float gauges can't follow, the caller takes {@link
 * DoubleSinkhorn}.
 *
 * <p>Not thread-safe; masses must be positive.
 */
final class FloatSinkhorn implements IterationLoop.Scalings {
  private static final float[] ONES = {1, 1, 1, 1};
  private static final float[] ZEROS = {0, 0, 0, 0};

  private static final double LOG2_E = 1 / Math.log(2);

  /** Largest matrix, in floats, whose exponentials are kept: 32 MB. */
  private static final int KEEP = 8 << 20;

  /** Floats of a chunk below which another thread isn't worth its start. */
  private static final int CHUNK = 1 << 15;

  private static final int MAX_CHUNK_ROWS = 512;

  private static final int ABSORB = 30;

  /** Four numbers are used; the rest keeps two threads' out of one cache line. */
  private static final int SMALL = 32;

  /**
   * Row sum in the columns' gauge below which a row's entries are too small to have their digits.
   */
  private static final float LOW_ROW = 0x1p-40f;

  /** Gauges in epsilons above which a float can't follow the potentials' last digits. */
  private static final double GAUGE_LIMIT = 1 << 17;

  /** Spread of the masses, in nats, above which gauged entries come near the least float. */
  private static final double MASS_LIMIT = 40;

  /** Exponent above which a better centre is sought. Below it, products with the scalings fit. */
  private static final double HIGHEST = 40;

  /** Below, 1/epsilon is no float. */
  private static final double SMALLEST_EPSILON = 1e-30;

  private enum Pass {
    EXPONENTIALS,
    MAXIMA,
    GAUGED_SUMS,
    ROWS,
    CODES
  }

  private final FloatKernels kernels;
  private final int threads;
  private final Crew.Job job = this::chunk;

  // Of a shape.
  private int n;
  private int k;
  private int stride;
  private int block;
  private int chunks;
  private int chunkRows;
  private float[] u = {};
  private float[] v = {};
  private float[] rowGauge = {};
  private float[] columnGauge = {};
  private float[][] partial = {};
  private AtomicIntegerArray arrivals = new AtomicIntegerArray(0);
  private double[] sums = {};
  private float[][] kept = {};
  private float[][][] scratch = {};
  private float[][] small = {};
  private float[][] low = {};
  private float[][] high = {};
  private final double[] bounds = new double[2];

  // Of a call.
  private HostMatrix scores;
  private HostMatrix codes;
  private double[] a;
  private double[] b;
  private double epsilon;
  private Reduction reduction;
  private float centre;
  private float scale;
  private float scaleRest;
  private boolean logDomain;
  private boolean gaugeRows;
  private boolean columnsAsMaxima;
  private boolean columnsWanted;
  private boolean keptValid;
  private Pass pass;
  private boolean crew;
  private boolean firstRows;
  private Iterations stop;
  private final IterationLoop loop = new IterationLoop();

  FloatSinkhorn(FloatKernels kernels, int threads) {
    this.kernels = kernels;
    this.threads = threads;
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
   * @param codes where the plan's last rows go, or null: then {@link #potentials} has the result
   */
  Outcome run(
      HostMatrix scores,
      double[] a,
      double[] b,
      double epsilon,
      Iterations stop,
      Form form,
      Reduction reduction,
      HostMatrix codes) {
    this.scores = scores;
    this.codes = codes;
    this.a = a;
    this.b = b;
    this.epsilon = epsilon;
    this.reduction = reduction;
    this.stop = stop;
    if (epsilon < SMALLEST_EPSILON) {
      return Outcome.NEEDS_DOUBLE;
    }
    shape(scores.rows(), scores.columns());
    crew = threads > 1 && chunks > 1 && Crew.acquire();
    try {
      return iterate(stop, form);
    } finally {
      if (crew) {
        Crew.release();
      }
      this.scores = null;
      this.codes = null;
    }
  }

  private void shape(int rows, int columns) {
    if (rows == n && columns == k) {
      return;
    }
    n = rows;
    k = columns;
    stride = (columns + FloatKernels.PAD - 1) / FloatKernels.PAD * FloatKernels.PAD;
    block = stride <= 1 << 14 ? 4 : 1;
    long size = (long) rows * stride;
    long wanted = Math.min(16, Math.max(1, size / CHUNK));
    chunkRows = (int) Math.min(MAX_CHUNK_ROWS, (rows + wanted - 1) / wanted);
    chunkRows = (chunkRows + block - 1) / block * block;
    while ((rows + chunkRows - 1) / chunkRows > 0xFFFF) {
      chunkRows *= 2;
    }
    chunks = (rows + chunkRows - 1) / chunkRows;
    u = new float[rows];
    v = new float[stride];
    rowGauge = new float[rows];
    columnGauge = new float[stride];
    partial = new float[chunks][stride];
    arrivals = new AtomicIntegerArray(chunks);
    sums = new double[columns];
    kept = new float[size <= KEEP ? rows : 0][stride];
    int workers = chunks > 1 ? threads : 1;
    scratch = new float[workers][block + 1][stride];
    small = new float[workers][SMALL];
    low = new float[workers][stride];
    high = new float[workers][stride];
  }

  private Outcome iterate(Iterations stop, Form form) {
    double perEpsilon = LOG2_E / epsilon;
    scale = (float) perEpsilon;
    scaleRest = (float) (perEpsilon - scale);
    logDomain = form == Form.LOG_DOMAIN;
    if (!logDomain) {
      double range = exponentials();
      // Neither is a NaN.
      logDomain = !(range <= Safety.limit(DataType.FLOAT));
      if (logDomain && form == Form.KERNEL) {
        if (!columnMaxima()) {
          return Outcome.NOT_FINITE;
        }
        throw Safety.kernelRefused(range, Safety.limit(DataType.FLOAT));
      }
    }
    if (logDomain) {
      if (!columnMaxima()) {
        return Outcome.NOT_FINITE;
      }
      if (!gaugeColumns()) {
        return Outcome.NEEDS_DOUBLE;
      }
    }
    firstRows = true;
    return loop.run(stop, this) ? Outcome.DONE : Outcome.NEEDS_DOUBLE;
  }

  @Override
  public void columns() {
    if (logDomain && !firstRows) {
      absorbRows();
    }
    for (int j = 0; j < k; j++) {
      v[j] = (float) (b[j] / sums[j]);
    }
    if (logDomain) {
      absorbColumns();
    }
  }

  @Override
  public boolean rows(boolean more) {
    columnsWanted = more;
    gaugeRows = logDomain && firstRows;
    firstRows = false;
    run(!more && codes != null ? Pass.CODES : Pass.ROWS);
    if (more) {
      takeColumns();
      reduction.sum(sums);
    }
    return !gaugeRows || !tooWide(rowGauge, n);
  }

  /**
   * The kernel form's first pass. Its centre is a guess, which the range of exponents found in the
   * pass confirms or corrects.
   *
   * @return the range in nats that {@link Safety} asks for; a NaN or infinite if a score is
   */
  private double exponentials() {
    float[] first = scratch[0][0];
    read(0, first);
    float max = first[0];
    for (int j = 1; j < k; j++) {
      max = Math.max(max, first[j]);
    }
    bounds[0] = max;
    bounds[1] = a == null ? 0 : Safety.spread(a);
    reduction.max(bounds);
    centre = (float) bounds[0];
    double spread = bounds[1] + Safety.spread(b);
    while (true) {
      fill(low, Float.POSITIVE_INFINITY);
      fill(high, Float.NEGATIVE_INFINITY);
      run(Pass.EXPONENTIALS);
      float least = Float.POSITIVE_INFINITY;
      float most = Float.NEGATIVE_INFINITY;
      for (int w = 0; w < low.length; w++) {
        for (int j = 0; j < stride; j++) {
          least = Math.min(least, low[w][j]);
          most = Math.max(most, high[w][j]);
        }
      }
      bounds[0] = -least;
      bounds[1] = most;
      reduction.max(bounds);
      double range = (bounds[0] + bounds[1]) / LOG2_E + spread;
      if (!(range <= Safety.limit(DataType.FLOAT))) {
        return range;
      }
      if (bounds[1] <= HIGHEST) {
        keptValid = kept.length > 0;
        takeColumns();
        reduction.sum(sums);
        return range;
      }
      centre += (float) (bounds[1] / scale);
    }
  }

  private static void fill(float[][] arrays, float x) {
    for (float[] array : arrays) {
      Arrays.fill(array, x);
    }
  }

  /** Column maxima of all scores into {@code sums}; false if a score is not finite. */
  private boolean columnMaxima() {
    keptValid = false;
    fill(low, 0);
    run(Pass.MAXIMA);
    takeColumns();
    float wrong = 0;
    for (float[] zeros : low) {
      for (float zero : zeros) {
        wrong += zero;
      }
    }
    bounds[0] = wrong == 0 ? 0 : 1;
    bounds[1] = 0;
    reduction.max(bounds);
    reduction.max(sums);
    return bounds[0] == 0;
  }

  /** The log domain's beginning: column maxima as gauges, then column sums relative to them. */
  private boolean gaugeColumns() {
    bounds[0] = 0;
    bounds[1] = a == null ? 0 : Safety.spread(a);
    reduction.max(bounds);
    if (bounds[1] + Safety.spread(b) > MASS_LIMIT) {
      return false;
    }
    for (int j = 0; j < k; j++) {
      columnGauge[j] = (float) sums[j];
    }
    Arrays.fill(columnGauge, k, stride, columnGauge[k - 1]);
    Arrays.fill(rowGauge, 0);
    if (tooWide(columnGauge, k)) {
      return false;
    }
    columnsAsMaxima = true;
    run(Pass.GAUGED_SUMS);
    keptValid = kept.length > 0;
    takeColumns();
    reduction.sum(sums);
    return true;
  }

  private boolean tooWide(float[] gauge, int length) {
    bounds[0] = 0;
    for (int j = 0; j < length; j++) {
      bounds[0] = Math.max(bounds[0], Math.abs(gauge[j]));
    }
    reduction.max(bounds);
    return bounds[0] / epsilon > GAUGE_LIMIT;
  }

  private void absorbColumns() {
    if (absorb(v, columnGauge, k)) {
      Arrays.fill(columnGauge, k, stride, columnGauge[k - 1]);
      columnsAsMaxima = false;
      keptValid = false;
    }
  }

  private void absorbRows() {
    if (absorb(u, rowGauge, n)) {
      keptValid = false;
    }
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
  public double columnError() {
    double error = 0;
    for (int j = 0; j < k; j++) {
      error += Math.abs(v[j] * sums[j] - b[j]);
    }
    return error;
  }

  /** What the last pass found for each column. */
  private void takeColumns() {
    float[] all = partial[0];
    for (int j = 0; j < k; j++) {
      sums[j] = all[j];
    }
  }

  private void run(Pass next) {
    pass = next;
    for (int c = 0; c < chunks; c++) {
      arrivals.lazySet(c, 0);
    }
    if (crew) {
      Crew.run(job, chunks, threads);
    } else {
      for (int c = 0; c < chunks; c++) {
        chunk(c, 0);
      }
    }
    if ((next == Pass.ROWS || next == Pass.CODES) && logDomain) {
      keptValid = kept.length > 0;
    }
  }

  private void chunk(int chunk, int worker) {
    int start = chunk * chunkRows;
    int end = Math.min(n, start + chunkRows);
    float[] sum = partial[chunk];
    // A method each: HotSpot compiles them apart, and compiles all in one less well.
    switch (pass) {
      case EXPONENTIALS -> firstSums(start, end, sum, worker);
      case MAXIMA -> maxima(start, end, sum, worker);
      case GAUGED_SUMS -> gaugedSums(start, end, sum, worker);
      case ROWS -> rows(start, end, sum, worker);
      case CODES -> codes(start, end, worker);
    }
    if (pass != Pass.CODES && (pass != Pass.ROWS || columnsWanted)) {
      combine(chunk);
    }
  }

  /**
   * Joins a chunk's columns with its neighbour's, theirs with those of the next two, and so on, as
   * far as the others are there: who comes second to a pair joins it. Ends in the first chunk's.
   */
  private void combine(int chunk) {
    for (int width = 1; width < chunks; width *= 2) {
      int left = chunk & -2 * width;
      int right = left + width;
      if (right < chunks) {
        // Pairs are known by their right half, for there is one of each.
        if (arrivals.incrementAndGet(right) == 1) {
          return;
        }
        if (pass == Pass.MAXIMA) {
          kernels.max(partial[left], partial[right]);
        } else {
          kernels.add(partial[left], partial[right], 1);
        }
      }
    }
  }

  private float[][] matrix(int worker) {
    return kept.length > 0 ? kept : scratch[worker];
  }

  /** Where in the matrix a block of rows goes. */
  private int place(int row) {
    return kept.length > 0 ? row : 0;
  }

  private void firstSums(int start, int end, float[] sum, int worker) {
    float[][] matrix = matrix(worker);
    float[] space = scratch[worker][block];
    Arrays.fill(sum, 0);
    for (int row = start; row < end; row += block) {
      int rows = Math.min(block, end - row);
      int first = place(row);
      for (int i = 0; i < rows; i++) {
        float[] m = matrix[first + i];
        read(row + i, m);
        kernels.exp(m, m, centre, scale, low[worker], high[worker], space);
      }
      add(matrix, first, rows, sum, ONES);
    }
  }

  private void maxima(int start, int end, float[] max, int worker) {
    float[][] matrix = matrix(worker);
    Arrays.fill(max, Float.NEGATIVE_INFINITY);
    for (int row = start; row < end; row += block) {
      int rows = Math.min(block, end - row);
      int first = place(row);
      for (int i = 0; i < rows; i++) {
        float[] m = matrix[first + i];
        read(row + i, m);
        kernels.max(max, m);
      }
      // Remains 0 unless a score is a NaN or infinite.
      add(matrix, first, rows, low[worker], ZEROS);
    }
  }

  private void gaugedSums(int start, int end, float[] sum, int worker) {
    float[][] matrix = matrix(worker);
    float[] space = scratch[worker][block];
    Arrays.fill(sum, 0);
    for (int row = start; row < end; row += block) {
      int rows = Math.min(block, end - row);
      int first = place(row);
      for (int i = 0; i < rows; i++) {
        float[] m = matrix[first + i];
        read(row + i, m);
        kernels.expBelow(m, columnGauge, m, scale, space);
      }
      add(matrix, first, rows, sum, ONES);
    }
  }

  private void rows(int start, int end, float[] sum, int worker) {
    float[][] matrix = matrix(worker);
    Arrays.fill(sum, 0);
    for (int row = start; row < end; row += block) {
      int rows = Math.min(block, end - row);
      int first = place(row);
      materialise(matrix, first, row, rows, worker);
      weigh(matrix, first, row, rows, worker);
      if (columnsWanted) {
        add(matrix, first, rows, sum, small[worker]);
      }
    }
  }

  private void codes(int start, int end, int worker) {
    float[][] matrix = matrix(worker);
    for (int row = start; row < end; row += block) {
      int rows = Math.min(block, end - row);
      if (row + rows > n - codes.rows()) {
        int first = place(row);
        materialise(matrix, first, row, rows, worker);
        weigh(matrix, first, row, rows, worker);
        write(matrix, first, row, rows, worker);
      }
    }
  }

  /** A row of scores, padded with copies of its last. */
  private void read(int row, float[] into) {
    scores.read(row, into);
    Arrays.fill(into, k, stride, into[k - 1]);
  }

  /** Has the exponentials of some rows ready. */
  private void materialise(float[][] m, int first, int row, int rows, int worker) {
    if (keptValid) {
      return;
    }
    for (int i = 0; i < rows; i++) {
      read(row + i, m[first + i]);
      exponentials(m[first + i], row + i, worker);
    }
  }

  /** From a row of scores, in place. */
  private void exponentials(float[] m, int row, int worker) {
    float[] space = scratch[worker][block];
    if (!logDomain) {
      kernels.exp(m, m, centre, scale, low[worker], high[worker], space);
    } else if (columnsAsMaxima && rowGauge[row] == 0) {
      kernels.expBelow(m, columnGauge, m, scale, space);
    } else {
      kernels.expGauged(m, rowGauge[row], columnGauge, m, scale, scaleRest, space);
    }
  }

  /** The rows' scalings, into u and the worker's small array. */
  private void weigh(float[][] m, int first, int row, int rows, int worker) {
    float[] weights = small[worker];
    if (rows == 4) {
      kernels.dot4(m, first, v, weights);
    } else {
      for (int i = 0; i < rows; i++) {
        weights[i] = kernels.dot(m[first + i], v);
      }
    }
    for (int i = 0; i < rows; i++) {
      if (gaugeRows && weights[i] < LOW_ROW) {
        weights[i] = gaugeRow(m[first + i], row + i, worker);
      }
      weights[i] = (float) ((a == null ? 1 : a[row + i]) / weights[i]);
      u[row + i] = weights[i];
    }
  }

  /** Gives a low row a gauge of its own and its exponentials anew; returns its sum. */
  private float gaugeRow(float[] m, int row, int worker) {
    read(row, m);
    rowGauge[row] = kernels.maxDifference(m, columnGauge);
    exponentials(m, row, worker);
    return kernels.dot(m, v);
  }

  private void write(float[][] m, int first, int row, int rows, int worker) {
    float[][] plan = scratch[worker];
    float[] weights = small[worker];
    if (rows == 4) {
      kernels.scale4(m, first, v, plan, weights);
    } else {
      for (int i = 0; i < rows; i++) {
        kernels.scale(m[first + i], v, plan[i], weights[i]);
      }
    }
    int before = n - codes.rows();
    for (int i = Math.max(0, before - row); i < rows; i++) {
      codes.write(row + i - before, plan[i]);
    }
  }

  private void add(float[][] m, int first, int rows, float[] sum, float[] weights) {
    if (rows == 4) {
      kernels.add4(sum, m, first, weights);
      return;
    }
    for (int i = 0; i < rows; i++) {
      kernels.add(sum, m[first + i], weights[i]);
    }
  }

  /** The potentials of the last run, which must have been one without codes. */
  Potentials potentials() {
    double[] f = new double[n];
    double[] g = new double[k];
    double perNat = logDomain ? epsilon : LOG2_E / scale;
    for (int i = 0; i < n; i++) {
      f[i] = perNat * Math.log(u[i]) - (logDomain ? rowGauge[i] : 0);
    }
    for (int j = 0; j < k; j++) {
      g[j] = perNat * Math.log(v[j]) - (logDomain ? columnGauge[j] : centre);
    }
    return new Potentials(f, g, loop.ending(stop), logDomain);
  }
}
