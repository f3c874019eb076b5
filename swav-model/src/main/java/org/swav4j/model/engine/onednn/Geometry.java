package org.swav4j.model.engine.onednn;

import java.util.Arrays;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;

/**
 * Shapes and window of a convolution, forward or backward.
 *
 * @param src N, C, H, W of the images
 * @param weights O, C, kH, kW
 * @param dst N, O, H', W' of the results
 * @param strides down and across
 * @param padding top and left, and as much at the bottom and right
 */
@SuppressWarnings("ArrayRecordComponent")
record Geometry(long[] src, long[] weights, long[] dst, long[] strides, long[] padding) {
  static Geometry of(Op op) {
    Arguments a = op.arguments();
    long[] w = op.input(1).shape();
    long[] x = op.input(0).shape();
    long[] dst = {
      x[0],
      w[3],
      (x[2] + 2L * a.padding() - w[0]) / a.stride() + 1,
      (x[3] + 2L * a.padding() - w[1]) / a.stride() + 1
    };
    return new Geometry(
        x,
        new long[] {w[3], w[2], w[0], w[1]},
        dst,
        new long[] {a.stride(), a.stride()},
        new long[] {a.padding(), a.padding()});
  }

  /** Whether each result is of the pixel at its place alone. */
  boolean isPointwise() {
    return weights[2] == 1
        && weights[3] == 1
        && Arrays.equals(strides, new long[] {1, 1})
        && Arrays.equals(padding, new long[] {0, 0});
  }

  /** A pointwise convolution of images as one of their pixels. */
  Geometry ofPixels() {
    long pixels = src[0] * src[2] * src[3];
    return new Geometry(
        new long[] {pixels, src[1], 1, 1},
        weights,
        new long[] {pixels, dst[1], 1, 1},
        strides,
        padding);
  }
}
