package org.swav4j.sinkhorn;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Sinkhorn's iterations in double on host memory, at any range: for double arrays, and for float
 * ones at an epsilon so small that float potentials could not hold it.
 *
 * <pre>
 * first column sums:  g_k = ln b_k - logsumexp_i(s_ik)
 * an iteration, one read of the matrix, row by row:
 *     x = s_i + g;  f_i = ln a_i - logsumexp(x)         the row gets its mass
 *     c += exp(x + f_i)                                 column sums of the plan, for the next g
 * then                g_k += ln(b_k / c_k)
 * </pre>
 *
 * <p>Scores, f and g are in units of epsilon here. In the kernel form exp(s) is computed once, and
 * exp(f), exp(g) stand in place of f, g. Keeps its work space; not thread-safe; masses must be
 * positive.
 */
final class DoubleSinkhorn implements IterationLoop.Scalings {
  private final IterationLoop loop = new IterationLoop();
  private double[] row = {};
  private double[] kernel = {};
  private double[] f = {};
  private double[] g = {};
  private double[] sums = {};
  private final double[] bounds = new double[4];
  private double shift;
  private double epsilon;
  private boolean logDomain;

  // Of a call.
  private HostMatrix scores;
  private double[] a;
  private double[] b;
  private Iterations stop;
  private Reduction reduction;

  /**
   * Iterates.
   *
   * @param a masses of the rows, one per row, or null for 1 each
   * @param b masses of the columns
   * @return false, with nothing done, if a score (of any shard) is not finite
   */
  boolean run(
      HostMatrix scores,
      double[] a,
      double[] b,
      double epsilon,
      Iterations stop,
      Form form,
      Reduction reduction) {
    int n = scores.rows();
    int k = scores.columns();
    if (f.length != n || g.length != k) {
      f = new double[n];
      row = new double[k];
      g = new double[k];
      sums = new double[k];
    }
    this.scores = scores;
    this.a = a;
    this.b = b;
    this.epsilon = epsilon;
    this.stop = stop;
    this.reduction = reduction;
    if (!measure()) {
      return false;
    }
    double limit = Safety.limit(DataType.DOUBLE);
    double range = (bounds[0] + bounds[1]) / epsilon + bounds[2];
    if (form == Form.KERNEL && range > limit) {
      throw Safety.kernelRefused(range, limit);
    }
    logDomain = form == Form.LOG_DOMAIN || range > limit;
    shift = bounds[0];
    firstColumns();
    loop.run(stop, this);
    return true;
  }

  @Override
  public void columns() {
    for (int j = 0; j < g.length; j++) {
      // In the log domain sums are those of the plan with this g, so they correct it.
      g[j] = logDomain ? g[j] + Math.log(b[j] / sums[j]) : b[j] / sums[j];
    }
  }

  @Override
  public boolean rows(boolean more) {
    scaleRows(more);
    if (more) {
      reduction.sum(sums);
    }
    return true;
  }

  /** Fills bounds with max s, -min s, the spread of the marginals; false if not all are finite. */
  private boolean measure() {
    double high = Double.NEGATIVE_INFINITY;
    double low = Double.POSITIVE_INFINITY;
    double zero = 0;
    for (int i = 0; i < scores.rows(); i++) {
      scores.read(i, row);
      for (double s : row) {
        high = Math.max(high, s);
        low = Math.min(low, s);
        zero += s * 0;
      }
    }
    bounds[0] = high;
    bounds[1] = -low;
    bounds[2] = a == null ? 0 : Safety.spread(a);
    bounds[3] = Double.isNaN(zero) ? 1 : 0;
    reduction.max(bounds);
    bounds[2] += Safety.spread(b);
    return bounds[3] == 0;
  }

  /**
   * Column sums of exp(s), to begin with. In the log domain relative to each column's maximum,
   * which goes into g with its sign turned.
   */
  private void firstColumns() {
    int n = scores.rows();
    int k = scores.columns();
    Arrays.fill(sums, 0);
    if (!logDomain) {
      if (kernel.length != n * k) {
        kernel = new double[Math.multiplyExact(n, k)];
      }
      for (int i = 0; i < n; i++) {
        scores.read(i, row);
        for (int j = 0; j < k; j++) {
          double e = Math.exp((row[j] - shift) / epsilon);
          kernel[i * k + j] = e;
          sums[j] += e;
        }
      }
    } else {
      Arrays.fill(g, Double.NEGATIVE_INFINITY);
      for (int i = 0; i < n; i++) {
        scores.read(i, row);
        for (int j = 0; j < k; j++) {
          g[j] = Math.max(g[j], row[j] / epsilon);
        }
      }
      reduction.max(g);
      for (int i = 0; i < n; i++) {
        scores.read(i, row);
        for (int j = 0; j < k; j++) {
          sums[j] += Math.exp(row[j] / epsilon - g[j]);
        }
      }
      for (int j = 0; j < k; j++) {
        g[j] = -g[j];
      }
    }
    reduction.sum(sums);
  }

  /** Gives every row its mass; sums become the column sums, of K diag f in the kernel form. */
  private void scaleRows(boolean columns) {
    int k = row.length;
    if (columns) {
      Arrays.fill(sums, 0);
    }
    for (int i = 0; i < f.length; i++) {
      double mass = a == null ? 1 : a[i];
      if (!logDomain) {
        int at = i * k;
        double sum = 0;
        for (int j = 0; j < k; j++) {
          sum += kernel[at + j] * g[j];
        }
        f[i] = mass / sum;
        for (int j = 0; columns && j < k; j++) {
          sums[j] += kernel[at + j] * f[i];
        }
        continue;
      }
      scores.read(i, row);
      double max = max();
      double sum = exponentials(max);
      f[i] = Math.log(mass / sum) - max;
      double weight = mass / sum;
      for (int j = 0; columns && j < k; j++) {
        sums[j] += row[j] * weight;
      }
    }
  }

  /** Turns the row of scores in {@link #row} into s + g; returns the maximum. */
  private double max() {
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < row.length; j++) {
      row[j] = row[j] / epsilon + g[j];
      max = Math.max(max, row[j]);
    }
    return max;
  }

  private double exponentials(double max) {
    double sum = 0;
    for (int j = 0; j < row.length; j++) {
      row[j] = Math.exp(row[j] - max);
      sum += row[j];
    }
    return sum;
  }

  @Override
  public double columnError() {
    double error = 0;
    for (int j = 0; j < b.length; j++) {
      error += Math.abs((logDomain ? sums[j] : sums[j] * g[j]) - b[j]);
    }
    return error;
  }

  /** Writes the last rows of the plan. */
  void write(HostMatrix plan) {
    int first = f.length - plan.rows();
    int k = row.length;
    for (int i = first; i < f.length; i++) {
      if (logDomain) {
        // Not exp(s + f + g): at a tiny epsilon the sum of such large terms has lost its digits.
        scores.read(i, row);
        double weight = (a == null ? 1 : a[i]) / exponentials(max());
        for (int j = 0; j < k; j++) {
          row[j] *= weight;
        }
      } else {
        for (int j = 0; j < k; j++) {
          row[j] = kernel[i * k + j] * f[i] * g[j];
        }
      }
      plan.write(i - first, row);
    }
  }

  Potentials potentials() {
    double[] rows = new double[f.length];
    double[] columns = new double[g.length];
    Arrays.setAll(rows, i -> epsilon * (logDomain ? f[i] : Math.log(f[i])));
    Arrays.setAll(columns, j -> logDomain ? epsilon * g[j] : epsilon * Math.log(g[j]) - shift);
    return new Potentials(rows, columns, loop.ending(stop), logDomain);
  }
}
