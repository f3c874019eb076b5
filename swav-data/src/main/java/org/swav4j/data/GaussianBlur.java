package org.swav4j.data;

import java.util.Arrays;

/**
 * A true Gaussian blur of planes, separable, edges repeated outwards. The kernel ends at {@code
 * ceil(4 sigma)} pixels and sums to 1. Keeps its scratch; not thread-safe.
 *
 * <pre>
 *   plane → padded, edges repeated   →  rows convolved   →  columns convolved  → plane
 *           R | width | R               (one flat run)      (one flat run, steps of the
 *                                                            padded width)
 * </pre>
 *
 * <p>Both passes are the same one-dimensional convolution with another step. C2 vectorises loops
 * whose arrays share one index, so shifted pieces are first copied to the start of short arrays
 * that stay in the first-level cache; a copy costs less than the sum it makes possible.
 */
final class GaussianBlur {
  private static final int PIECE = 2048;

  private final float[] sum = new float[PIECE];
  private final float[] before = new float[PIECE];
  private final float[] after = new float[PIECE];
  private final float[] farBefore = new float[PIECE];
  private final float[] farAfter = new float[PIECE];
  private float[] weights = new float[16];
  private float[] padded = new float[0];
  private float[] half = new float[0];
  private int radius;
  private double sigma = -1;

  /**
   * Blurs in place.
   *
   * @param sigma standard deviation in pixels, above 0
   */
  void apply(float[] plane, int width, int height, double sigma) {
    prepare(sigma);
    if (radius == 0) {
      return;
    }
    int stride = width + 2 * radius;
    int length = stride * (height + 2 * radius);
    if (padded.length < length) {
      padded = new float[length];
      half = new float[length];
    }
    for (int y = 0; y < height; y++) {
      int row = (y + radius) * stride;
      float first = plane[y * width];
      float last = plane[y * width + width - 1];
      Arrays.fill(padded, row, row + radius, first);
      System.arraycopy(plane, y * width, padded, row + radius, width);
      Arrays.fill(padded, row + radius + width, row + stride, last);
    }
    int from = radius * stride + radius;
    int to = (radius + height) * stride - radius;
    convolve(padded, half, from, to, 1);
    for (int y = 0; y < radius; y++) {
      System.arraycopy(half, radius * stride, half, y * stride, stride);
      System.arraycopy(
          half, (radius + height - 1) * stride, half, (radius + height + y) * stride, stride);
    }
    convolve(half, padded, from, to, stride);
    for (int y = 0; y < height; y++) {
      System.arraycopy(padded, from + y * stride, plane, y * width, width);
    }
  }

  /** Computes {@link #weights} from the centre outwards; a radius of 0 means nothing to do. */
  private void prepare(double sigma) {
    if (sigma == this.sigma) {
      return;
    }
    this.sigma = sigma;
    radius = (int) Math.ceil(4 * sigma);
    // Neighbours too light to show in a float.
    while (radius > 0 && Math.exp(-0.5 * radius * radius / (sigma * sigma)) < 1e-9) {
      radius--;
    }
    if (weights.length <= radius) {
      weights = new float[radius + 1];
    }
    double total = 1;
    for (int k = 1; k <= radius; k++) {
      total += 2 * Math.exp(-0.5 * k * k / (sigma * sigma));
    }
    for (int k = 0; k <= radius; k++) {
      weights[k] = (float) (Math.exp(-0.5 * k * k / (sigma * sigma)) / total);
    }
  }

  private void convolve(float[] in, float[] out, int from, int to, int step) {
    for (int start = from; start < to; start += PIECE) {
      int n = Math.min(PIECE, to - start);
      System.arraycopy(in, start, sum, 0, n);
      scale(sum, n, weights[0]);
      int k = 1;
      for (; k < radius; k += 2) {
        System.arraycopy(in, start - k * step, before, 0, n);
        System.arraycopy(in, start + k * step, after, 0, n);
        System.arraycopy(in, start - (k + 1) * step, farBefore, 0, n);
        System.arraycopy(in, start + (k + 1) * step, farAfter, 0, n);
        add(sum, before, after, farBefore, farAfter, n, weights[k], weights[k + 1]);
      }
      if (k == radius) {
        System.arraycopy(in, start - k * step, before, 0, n);
        System.arraycopy(in, start + k * step, after, 0, n);
        add(sum, before, after, n, weights[k]);
      }
      System.arraycopy(sum, 0, out, start, n);
    }
  }

  private static void scale(float[] sum, int n, float w) {
    for (int i = 0; i < n; i++) {
      sum[i] *= w;
    }
  }

  private static void add(float[] sum, float[] a, float[] b, int n, float w) {
    for (int i = 0; i < n; i++) {
      sum[i] += w * (a[i] + b[i]);
    }
  }

  private static void add(
      float[] sum, float[] a, float[] b, float[] c, float[] d, int n, float w, float v) {
    for (int i = 0; i < n; i++) {
      sum[i] += w * (a[i] + b[i]) + v * (c[i] + d[i]);
    }
  }
}
