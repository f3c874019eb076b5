package org.swav4j.model.engine.onednn;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/** Every op type as plain loops over doubles, written from {@code OpType}'s definitions alone. */
final class ReferenceInterpreter {
  private final Map<Value, double[]> values = new HashMap<>();

  void set(Value v, double[] elements) {
    values.put(v, elements);
  }

  double[] get(Value v) {
    return values.computeIfAbsent(
        v, k -> v.array() == null ? null : v.array().dup('c').data().asDouble());
  }

  void run(Plan plan) {
    plan.ops().forEach(this::run);
  }

  private void run(Op op) {
    Arguments a = op.arguments();
    switch (op.type()) {
      case CONV2D -> convolution(op);
      case CONV2D_BP -> convolutionGradient(op);
      case BATCH_NORM -> batchNorm(op);
      case BATCH_NORM_BP -> batchNormGradient(op);
      case RELU ->
          set(op.output(), Arrays.stream(get(op.input(0))).map(x -> Math.max(x, 0)).toArray());
      case RELU_BP -> {
        double[] y = get(op.input(0));
        double[] dx = get(op.input(1)).clone();
        for (int i = 0; i < dx.length; i++) {
          dx[i] = y[i] > 0 ? dx[i] : 0;
        }
        set(op.output(), dx);
      }
      case ADD -> {
        double[] y = get(op.input(0)).clone();
        double[] b = get(op.input(1));
        for (int i = 0; i < y.length; i++) {
          y[i] += b[i % b.length];
          y[i] = a.relu() ? Math.max(y[i], 0) : y[i];
        }
        set(op.output(), y);
      }
      case MAX_POOL -> maxPool(op, op.input(0), op.output(), null, null);
      case MAX_POOL_BP -> {
        double[] dx = new double[(int) op.output().length()];
        maxPool(op, op.input(0), op.input(1), get(op.input(1)), dx);
        set(op.output(), dx);
      }
      case GLOBAL_MEAN -> {
        int area = (int) (op.input(0).size(2) * op.input(0).size(3));
        double[] y = new double[(int) op.output().length()];
        double[] x = get(op.input(0));
        for (int i = 0; i < x.length; i++) {
          y[i / area] += x[i] / area;
        }
        set(op.output(), y);
      }
      case GLOBAL_MEAN_BP -> {
        int area = (int) (op.output().size(2) * op.output().size(3));
        double[] dx = new double[(int) op.output().length()];
        double[] dy = get(op.input(0));
        for (int i = 0; i < dx.length; i++) {
          dx[i] = dy[i / area] / area;
        }
        set(op.output(), dx);
      }
      case CONCAT_ROWS -> {
        double[] y = new double[(int) op.output().length()];
        int at = 0;
        for (Value v : op.inputs()) {
          double[] x = get(v);
          System.arraycopy(x, 0, y, at, x.length);
          at += x.length;
        }
        set(op.output(), y);
      }
      case ROWS -> {
        int start = (int) (a.start() * op.input(0).size(1));
        set(
            op.output(),
            Arrays.copyOfRange(get(op.input(0)), start, start + (int) op.output().length()));
      }
      case MATMUL -> matmul(op);
      case COLUMN_SUM -> {
        int m = (int) op.input(0).size(1);
        double[] y = new double[m];
        double[] x = get(op.input(0));
        for (int i = 0; i < x.length; i++) {
          y[i % m] += x[i];
        }
        set(op.output(), y);
      }
      case NORMALIZE_ROWS -> {
        int d = (int) op.input(0).size(1);
        double[] y = get(op.input(0)).clone();
        for (int r = 0; r < y.length; r += d) {
          double norm = norm(y, r, d);
          for (int i = r; i < r + d; i++) {
            y[i] /= norm;
          }
        }
        set(op.output(), y);
      }
      case NORMALIZE_ROWS_BP -> {
        int d = (int) op.input(0).size(1);
        double[] x = get(op.input(0));
        double[] dy = get(op.input(2));
        double[] dx = new double[x.length];
        for (int r = 0; r < x.length; r += d) {
          double norm = norm(x, r, d);
          double dot = 0;
          for (int i = r; i < r + d; i++) {
            dot += x[i] * dy[i];
          }
          for (int i = r; i < r + d; i++) {
            dx[i] = dy[i] / norm - (norm > 1e-12 ? x[i] * dot / (norm * norm * norm) : 0);
          }
        }
        set(op.output(), dx);
      }
      case SWAPPED_PREDICTION -> prediction(op);
      case FINAL -> a.call().run();
      case ND4J -> throw new IllegalArgumentException("no loops here for " + op);
    }
  }

  private static double norm(double[] x, int start, int d) {
    double s = 0;
    for (int i = start; i < start + d; i++) {
      s += x[i] * x[i];
    }
    return Math.max(Math.sqrt(s), 1e-12);
  }

  /** Visits every pair of an input and an output pixel that a window connects. */
  private interface Pair {
    void visit(int x, int y, int dy, int dx);
  }

  private static void slide(Value x, Value y, int kernel, int stride, int pad, Pair pair) {
    int h = (int) x.size(2);
    int w = (int) x.size(3);
    int oh = (int) y.size(2);
    int ow = (int) y.size(3);
    for (int i = 0; i < oh; i++) {
      for (int j = 0; j < ow; j++) {
        for (int p = 0; p < kernel; p++) {
          for (int q = 0; q < kernel; q++) {
            int r = i * stride - pad + p;
            int s = j * stride - pad + q;
            if (r >= 0 && r < h && s >= 0 && s < w) {
              pair.visit(r * w + s, i * ow + j, p, q);
            }
          }
        }
      }
    }
  }

  private void convolution(Op op) {
    Arguments a = op.arguments();
    Value xv = op.input(0);
    Value wv = op.input(1);
    Value yv = op.output();
    double[] x = get(xv);
    double[] w = get(wv);
    double[] y = new double[(int) yv.length()];
    int c = (int) wv.size(2);
    int o = (int) wv.size(3);
    int k = (int) wv.size(0);
    int xa = (int) (xv.size(2) * xv.size(3));
    int ya = (int) (yv.size(2) * yv.size(3));
    for (int n = 0; n < xv.size(0); n++) {
      int xn = n * c * xa;
      int yn = n * o * ya;
      slide(
          xv,
          yv,
          k,
          a.stride(),
          a.padding(),
          (xi, yi, p, q) -> {
            for (int ci = 0; ci < c; ci++) {
              for (int oi = 0; oi < o; oi++) {
                y[yn + oi * ya + yi] += x[xn + ci * xa + xi] * w[((p * k + q) * c + ci) * o + oi];
              }
            }
          });
    }
    double[] bias = a.bias() ? get(op.input(2)) : null;
    double[] residual = a.residual() ? get(op.input(a.bias() ? 3 : 2)) : null;
    for (int i = 0; i < y.length; i++) {
      y[i] += bias == null ? 0 : bias[i / ya % o];
      y[i] += residual == null ? 0 : residual[i];
      y[i] = a.relu() ? Math.max(y[i], 0) : y[i];
    }
    set(yv, y);
  }

  private void convolutionGradient(Op op) {
    Arguments a = op.arguments();
    Value xv = op.input(0);
    Value wv = op.input(1);
    Value yv = op.input(2);
    double[] x = get(xv);
    double[] w = get(wv);
    double[] dy = get(yv);
    double[] dx = new double[x.length];
    double[] dw = new double[w.length];
    int c = (int) wv.size(2);
    int o = (int) wv.size(3);
    int k = (int) wv.size(0);
    int xa = (int) (xv.size(2) * xv.size(3));
    int ya = (int) (yv.size(2) * yv.size(3));
    for (int n = 0; n < xv.size(0); n++) {
      int xn = n * c * xa;
      int yn = n * o * ya;
      slide(
          xv,
          yv,
          k,
          a.stride(),
          a.padding(),
          (xi, yi, p, q) -> {
            for (int ci = 0; ci < c; ci++) {
              for (int oi = 0; oi < o; oi++) {
                int at = ((p * k + q) * c + ci) * o + oi;
                dx[xn + ci * xa + xi] += dy[yn + oi * ya + yi] * w[at];
                dw[at] += dy[yn + oi * ya + yi] * x[xn + ci * xa + xi];
              }
            }
          });
    }
    set(op.output(0), dx);
    set(op.output(1), dw);
  }

  private void maxPool(Op op, Value xv, Value yv, double[] dy, double[] dx) {
    Arguments a = op.arguments();
    double[] x = get(xv);
    int xa = (int) (xv.size(2) * xv.size(3));
    int ya = (int) (yv.size(2) * yv.size(3));
    double[] y = new double[(int) yv.length()];
    int[] from = new int[y.length];
    Arrays.fill(y, Double.NEGATIVE_INFINITY);
    for (int m = 0; m < xv.size(0) * xv.size(1); m++) {
      int xm = m * xa;
      int ym = m * ya;
      slide(
          xv,
          yv,
          a.kernel(),
          a.stride(),
          a.padding(),
          (xi, yi, p, q) -> {
            if (x[xm + xi] > y[ym + yi]) {
              y[ym + yi] = x[xm + xi];
              from[ym + yi] = xm + xi;
            }
          });
    }
    if (dy == null) {
      set(yv, y);
    } else {
      for (int i = 0; i < y.length; i++) {
        dx[from[i]] += dy[i];
      }
    }
  }

  private static int area(Value x) {
    return x.rank() == 4 ? (int) (x.size(2) * x.size(3)) : 1;
  }

  private void batchNorm(Op op) {
    Value xv = op.input(0);
    double[] x = get(xv);
    double[] gamma = get(op.input(1));
    double[] beta = get(op.input(2));
    int c = gamma.length;
    int area = area(xv);
    double count = x.length / (double) c;
    double[] mean = new double[c];
    double[] variance = new double[c];
    for (int i = 0; i < x.length; i++) {
      mean[i / area % c] += x[i] / count;
    }
    for (int i = 0; i < x.length; i++) {
      int ci = i / area % c;
      variance[ci] += (x[i] - mean[ci]) * (x[i] - mean[ci]) / count;
    }
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      int ci = i / area % c;
      y[i] =
          gamma[ci] * (x[i] - mean[ci]) / Math.sqrt(variance[ci] + op.arguments().epsilon())
              + beta[ci];
      y[i] = op.arguments().relu() ? Math.max(y[i], 0) : y[i];
    }
    set(op.output(0), y);
    set(op.output(1), mean);
    set(op.output(2), variance);
  }

  private void batchNormGradient(Op op) {
    Value xv = op.input(0);
    double[] x = get(xv);
    double[] gamma = get(op.input(1));
    double[] mean = get(op.input(3));
    double[] variance = get(op.input(4));
    double[] dy = get(op.input(5)).clone();
    int c = gamma.length;
    int area = area(xv);
    double count = x.length / (double) c;
    if (op.arguments().relu()) {
      double[] y = get(op.input(6));
      for (int i = 0; i < dy.length; i++) {
        dy[i] = y[i] > 0 ? dy[i] : 0;
      }
    }
    double[] dgamma = new double[c];
    double[] dbeta = new double[c];
    double[] deviation = new double[c];
    for (int i = 0; i < c; i++) {
      deviation[i] = Math.sqrt(variance[i] + op.arguments().epsilon());
    }
    for (int i = 0; i < x.length; i++) {
      int ci = i / area % c;
      dbeta[ci] += dy[i];
      dgamma[ci] += dy[i] * (x[i] - mean[ci]) / deviation[ci];
    }
    double[] dx = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      int ci = i / area % c;
      double normal = (x[i] - mean[ci]) / deviation[ci];
      dx[i] = gamma[ci] / deviation[ci] * (dy[i] - dbeta[ci] / count - normal * dgamma[ci] / count);
    }
    set(op.output(0), dx);
    set(op.output(1), dgamma);
    set(op.output(2), dbeta);
  }

  private void matmul(Op op) {
    Arguments a = op.arguments();
    double[] l = get(op.input(0));
    double[] r = get(op.input(1));
    int m = (int) op.output().size(0);
    int n = (int) op.output().size(1);
    int k = (int) op.input(0).size(a.transposeA() ? 0 : 1);
    double[] y = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < k; p++) {
        double left = a.transposeA() ? l[p * m + i] : l[i * k + p];
        for (int j = 0; j < n; j++) {
          y[i * n + j] += left * (a.transposeB() ? r[j * k + p] : r[p * n + j]);
        }
      }
    }
    set(op.output(), y);
  }

  private void prediction(Op op) {
    Arguments a = op.arguments();
    int views = a.views();
    double tau = a.temperature();
    double[] s = get(op.input(0));
    double[] q = get(op.input(1));
    int k = (int) op.input(0).size(1);
    int b = (int) op.input(0).size(0) / views;
    double scale = 1.0 / (a.assigning() * (views - 1.0) * b);
    double loss = 0;
    double[] ds = new double[s.length];
    for (int v = 0; v < views; v++) {
      for (int n = 0; n < b; n++) {
        int row = (v * b + n) * k;
        double sum = 0;
        for (int j = 0; j < k; j++) {
          sum += Math.exp(s[row + j] / tau);
        }
        for (int i = 0; i < a.assigning(); i++) {
          if (i == v) {
            continue;
          }
          double mass = 0;
          for (int j = 0; j < k; j++) {
            double code = q[(i * b + n) * k + j];
            mass += code;
            loss -= scale * code * (s[row + j] / tau - Math.log(sum));
          }
          for (int j = 0; j < k; j++) {
            double p = Math.exp(s[row + j] / tau) / sum;
            ds[row + j] += scale / tau * (mass * p - q[(i * b + n) * k + j]);
          }
        }
      }
    }
    set(op.output(0), new double[] {loss});
    set(op.output(1), ds);
  }
}
