package org.swav4j.sinkhorn;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Sinkhorn's iterations as ND4J operations: any back end, any floating type. Each iteration scales
 * the columns to b, then the rows to a.
 *
 * <p>Masses must be positive.
 */
final class NdSinkhorn {
  private final INDArray scores;
  private final double[] a;
  private final double[] b;
  private final double epsilon;
  private final Reduction reduction;

  NdSinkhorn(INDArray scores, double[] a, double[] b, double epsilon, Reduction reduction) {
    DataType type = scores.dataType();
    boolean wide = type == DataType.FLOAT || type == DataType.DOUBLE;
    this.scores = wide ? scores : scores.castTo(DataType.FLOAT);
    this.a = a;
    this.b = b;
    this.epsilon = epsilon;
    this.reduction = reduction;
  }

  Potentials run(Iterations stop, Form form) {
    double[] bounds = {
      scores.maxNumber().doubleValue(), -scores.minNumber().doubleValue(), Safety.spread(a)
    };
    reduction.max(bounds);
    double range = (bounds[0] + bounds[1]) / epsilon + bounds[2] + Safety.spread(b);
    double limit = Safety.limit(scores.dataType());
    boolean safe = range <= limit;
    if (form == Form.KERNEL && !safe) {
      throw Safety.kernelRefused(range, limit);
    }
    return safe && form != Form.LOG_DOMAIN ? kernelForm(bounds[0], stop) : logDomain(stop);
  }

  private Potentials kernelForm(double shift, Iterations stop) {
    INDArray kernel = scores.sub(shift);
    kernel.divi(epsilon);
    Transforms.exp(kernel, false);
    INDArray transposed = kernel.transpose();
    double[] u = new double[a.length];
    Arrays.fill(u, 1);
    double[] v = null;
    int n = 0;
    boolean converged = !stop.watch();
    while (true) {
      double[] columns = product(transposed, u);
      reduction.sum(columns);
      if (v != null && stop.watch() && columnError(columns, v) <= stop.tolerance()) {
        converged = true;
        break;
      }
      if (n == stop.limit()) {
        break;
      }
      v = quotient(b, columns);
      u = quotient(a, product(kernel, v));
      n++;
      if (!stop.watch() && n == stop.limit()) {
        break;
      }
    }
    double[] f = new double[a.length];
    double[] g = new double[b.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = epsilon * Math.log(u[i]);
    }
    for (int k = 0; k < g.length; k++) {
      g[k] = epsilon * Math.log(v[k]) - shift;
    }
    return new Potentials(f, g, n, converged, false);
  }

  private double columnError(double[] columns, double[] v) {
    double error = 0;
    for (int k = 0; k < v.length; k++) {
      error += Math.abs(v[k] * columns[k] - b[k]);
    }
    return error;
  }

  private static double[] product(INDArray matrix, double[] x) {
    INDArray vector = Nd4j.createFromArray(x).castTo(matrix.dataType()).reshape(x.length, 1);
    return matrix.mmul(vector).toDoubleVector();
  }

  private static double[] quotient(double[] mass, double[] sums) {
    double[] scaling = new double[mass.length];
    Arrays.setAll(scaling, i -> mass[i] / sums[i]);
    return scaling;
  }

  /**
   * In double whatever the type: at s/epsilon = 1000 a float exponent would carry an error of 1e-4
   * into every entry.
   */
  private Potentials logDomain(Iterations stop) {
    INDArray scaled = scores.castTo(DataType.DOUBLE).div(epsilon);
    double[] logA = log(a);
    double[] logB = log(b);
    double[] f = new double[a.length];
    double[] g = null;
    int n = 0;
    boolean converged = !stop.watch();
    while (true) {
      double[] columns = logSums(scaled.addColumnVector(Nd4j.createFromArray(f).reshape(-1, 1)), 0);
      if (g != null && stop.watch() && logColumnError(columns, g) <= stop.tolerance()) {
        converged = true;
        break;
      }
      if (n == stop.limit()) {
        break;
      }
      g = difference(logB, columns);
      f = difference(logA, logSums(scaled.addRowVector(Nd4j.createFromArray(g).reshape(1, -1)), 1));
      n++;
      if (!stop.watch() && n == stop.limit()) {
        break;
      }
    }
    for (int i = 0; i < f.length; i++) {
      f[i] *= epsilon;
    }
    for (int k = 0; k < g.length; k++) {
      g[k] *= epsilon;
    }
    return new Potentials(f, g, n, converged, true);
  }

  private double logColumnError(double[] columns, double[] g) {
    double error = 0;
    for (int k = 0; k < g.length; k++) {
      error += Math.abs(Math.exp(g[k] + columns[k]) - b[k]);
    }
    return error;
  }

  /**
   * ln of the sums of exp(x) along a dimension (0: over samples, across shards; 1: over
   * prototypes).
   */
  private double[] logSums(INDArray x, int dimension) {
    double[] shift = x.max(dimension).toDoubleVector();
    if (dimension == 0) {
      reduction.max(shift);
      x.subiRowVector(Nd4j.createFromArray(shift).reshape(1, -1));
    } else {
      x.subiColumnVector(Nd4j.createFromArray(shift).reshape(-1, 1));
    }
    double[] sums = Transforms.exp(x, false).sum(dimension).toDoubleVector();
    if (dimension == 0) {
      reduction.sum(sums);
    }
    for (int j = 0; j < sums.length; j++) {
      sums[j] = shift[j] + Math.log(sums[j]);
    }
    return sums;
  }

  private static double[] log(double[] x) {
    return Arrays.stream(x).map(Math::log).toArray();
  }

  private static double[] difference(double[] x, double[] y) {
    double[] z = new double[x.length];
    Arrays.setAll(z, i -> x[i] - y[i]);
    return z;
  }
}
