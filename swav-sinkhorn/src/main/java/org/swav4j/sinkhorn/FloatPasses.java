package org.swav4j.sinkhorn;

import java.util.Arrays;

/**
 * Passes over the rows of a float matrix in host memory, any chunk of rows on any thread.
 *
 * <pre>
 * unscaled     rows → exp → column sums
 * maxima       rows → column maxima
 * rows         rows → exp → u_i = a_i / (row · v)  → column sums of u_i row
 * plan         rows → exp → u_i = a_i / (row · v)  → plan = u_i row v
 * </pre>
 *
 * <p>Within a chunk a block of rows is read, exponentiated and used while it is in the nearest
 * cache. What an exponential is, a {@link FloatForm} says.
 */
final class FloatPasses {
  private static final float[] ONES = {1, 1, 1, 1};
  private static final float[] ZEROS = {0, 0, 0, 0};

  private interface Pass {
    void rows(int start, int end, float[] columns, WorkerSpace space);
  }

  private final FloatKernels kernels;
  private final int threads;
  private final WorkerPool.Job job = this::chunk;
  // A method each: HotSpot compiles them apart, and compiles all in one less well.
  private final Pass unscaled = this::unscaled;
  private final Pass maxima = this::maxima;
  private final Pass rows = this::rows;
  private final Pass plan = this::plan;
  private final ColumnTree.Joining add;
  private final ColumnTree.Joining max;

  private FloatWork work;

  // Of a call.
  private HostMatrix scores;
  private HostMatrix target;
  private double[] a;
  private boolean shared;

  // Of a pass.
  private FloatForm form;
  private Pass pass;
  private ColumnTree.Joining joining;
  private boolean ready;

  FloatPasses(FloatKernels kernels, int threads) {
    this.kernels = kernels;
    this.threads = threads;
    this.work = work(1, 1);
    this.add = (left, right) -> kernels.add(left, right, 1);
    this.max = kernels::max;
  }

  /**
   * Begins with a matrix; {@link #end} must follow.
   *
   * @param a masses of the rows, or null for 1 each
   * @param target where the plan's last rows go, or null
   */
  void begin(HostMatrix scores, double[] a, HostMatrix target) {
    this.scores = scores;
    this.a = a;
    this.target = target;
    if (!work.chunks().fit(scores)) {
      work = work(scores.rows(), scores.columns());
    }
    shared = threads > 1 && work.chunks().count() > 1 && WorkerPool.acquire();
  }

  private FloatWork work(int rows, int columns) {
    return FloatWork.of(RowChunks.of(rows, columns), kernels, threads);
  }

  void end() {
    if (shared) {
      WorkerPool.release();
    }
    scores = null;
    target = null;
  }

  FloatWork work() {
    return work;
  }

  /** The masses of the rows, or null for 1 each. */
  double[] masses() {
    return a;
  }

  /** Whether a plan is to be written. */
  boolean hasTarget() {
    return target != null;
  }

  /** The form's units have changed: exponentials must be computed again. */
  void forget() {
    ready = false;
  }

  /** Column sums of the exponentials of this form. */
  void unscaled(FloatForm form) {
    run(unscaled, form, add);
    ready = keeps();
  }

  /** Column maxima of the scores; false if a score of this shard is not finite. */
  boolean maxima() {
    ready = false;
    for (WorkerSpace space : work.workers()) {
      Arrays.fill(space.space(), 0);
    }
    run(maxima, null, max);
    float wrong = 0;
    for (WorkerSpace space : work.workers()) {
      for (float zero : space.space()) {
        wrong += zero;
      }
    }
    return wrong == 0;
  }

  /**
   * Scales the rows.
   *
   * @param more whether the column sums that result are wanted
   */
  void rows(FloatForm form, boolean more) {
    run(rows, form, more ? add : null);
    ready = keeps();
  }

  /** Scales the rows and writes the last of them. */
  void plan(FloatForm form) {
    run(plan, form, null);
  }

  private void run(Pass next, FloatForm form, ColumnTree.Joining joining) {
    this.pass = next;
    this.form = form;
    this.joining = joining;
    work.tree().begin();
    int chunks = work.chunks().count();
    if (shared) {
      WorkerPool.run(job, chunks, threads);
    } else {
      for (int c = 0; c < chunks; c++) {
        chunk(c, 0);
      }
    }
    if (joining != null) {
      float[] root = work.tree().root();
      double[] sums = work.sums();
      for (int j = 0; j < sums.length; j++) {
        sums[j] = root[j];
      }
    }
  }

  private void chunk(int chunk, int worker) {
    RowChunks chunks = work.chunks();
    ColumnTree tree = work.tree();
    pass.rows(chunks.start(chunk), chunks.end(chunk), tree.of(chunk), work.workers()[worker]);
    if (joining != null) {
      tree.join(chunk, joining);
    }
  }

  private void unscaled(int start, int end, float[] sum, WorkerSpace space) {
    float[][] matrix = matrix(space);
    int block = work.chunks().block();
    Arrays.fill(sum, 0);
    for (int row = start; row < end; row += block) {
      int count = Math.min(block, end - row);
      int first = place(row);
      for (int i = 0; i < count; i++) {
        float[] m = matrix[first + i];
        read(row + i, m);
        form.exponentials(m, row + i, space);
      }
      add(matrix, first, count, sum, ONES);
    }
  }

  private void maxima(int start, int end, float[] largest, WorkerSpace space) {
    float[][] matrix = matrix(space);
    int block = work.chunks().block();
    Arrays.fill(largest, Float.NEGATIVE_INFINITY);
    for (int row = start; row < end; row += block) {
      int count = Math.min(block, end - row);
      int first = place(row);
      for (int i = 0; i < count; i++) {
        float[] m = matrix[first + i];
        read(row + i, m);
        kernels.max(largest, m);
      }
      // Remains 0 unless a score is a NaN or infinite.
      add(matrix, first, count, space.space(), ZEROS);
    }
  }

  private void rows(int start, int end, float[] sum, WorkerSpace space) {
    float[][] matrix = matrix(space);
    int block = work.chunks().block();
    Arrays.fill(sum, 0);
    for (int row = start; row < end; row += block) {
      int count = Math.min(block, end - row);
      int first = place(row);
      materialise(matrix, first, row, count, space);
      weigh(matrix, first, row, count, space);
      if (joining != null) {
        add(matrix, first, count, sum, space.weights());
      }
    }
  }

  private void plan(int start, int end, float[] none, WorkerSpace space) {
    float[][] matrix = matrix(space);
    int block = work.chunks().block();
    int before = work.chunks().rows() - target.rows();
    for (int row = start; row < end; row += block) {
      int count = Math.min(block, end - row);
      if (row + count > before) {
        int first = place(row);
        materialise(matrix, first, row, count, space);
        weigh(matrix, first, row, count, space);
        write(matrix, first, row, count, space);
      }
    }
  }

  private boolean keeps() {
    return work.kept().length > 0;
  }

  private float[][] matrix(WorkerSpace space) {
    return keeps() ? work.kept() : space.rows();
  }

  /** Where in the matrix a block of rows goes. */
  private int place(int row) {
    return keeps() ? row : 0;
  }

  /** A row of scores, padded with copies of its last. */
  void read(int row, float[] into) {
    int columns = work.chunks().columns();
    scores.read(row, into);
    Arrays.fill(into, columns, into.length, into[columns - 1]);
  }

  /** Has the exponentials of some rows ready. */
  private void materialise(float[][] m, int first, int row, int count, WorkerSpace space) {
    if (ready) {
      return;
    }
    for (int i = 0; i < count; i++) {
      read(row + i, m[first + i]);
      form.exponentials(m[first + i], row + i, space);
    }
  }

  /** The rows' scalings, into u and the thread's weights. */
  private void weigh(float[][] m, int first, int row, int count, WorkerSpace space) {
    float[] weights = space.weights();
    float[] u = work.u();
    float[] v = work.v();
    if (count == 4) {
      kernels.dot4(m, first, v, weights);
    } else {
      for (int i = 0; i < count; i++) {
        weights[i] = kernels.dot(m[first + i], v);
      }
    }
    for (int i = 0; i < count; i++) {
      float sum = form.rowSum(weights[i], m[first + i], row + i, space);
      weights[i] = (float) ((a == null ? 1 : a[row + i]) / sum);
      u[row + i] = weights[i];
    }
  }

  private void write(float[][] m, int first, int row, int count, WorkerSpace space) {
    float[][] out = space.rows();
    float[] weights = space.weights();
    if (count == 4) {
      kernels.scale4(m, first, work.v(), out, weights);
    } else {
      for (int i = 0; i < count; i++) {
        kernels.scale(m[first + i], work.v(), out[i], weights[i]);
      }
    }
    int before = work.chunks().rows() - target.rows();
    for (int i = Math.max(0, before - row); i < count; i++) {
      target.write(row + i - before, out[i]);
    }
  }

  private void add(float[][] m, int first, int count, float[] sum, float[] weights) {
    if (count == 4) {
      kernels.add4(sum, m, first, weights);
      return;
    }
    for (int i = 0; i < count; i++) {
      kernels.add(sum, m[first + i], weights[i]);
    }
  }
}
