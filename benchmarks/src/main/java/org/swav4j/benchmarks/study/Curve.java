package org.swav4j.benchmarks.study;

/** Numbers of a curve through points. */
final class Curve {
  private Curve() {}

  /**
   * Area under straight lines through the points (trapezoid rule), divided by its width.
   *
   * @param x at least two, rising
   */
  static double meanHeight(double[] x, double[] y) {
    double area = 0;
    for (int i = 1; i < x.length; i++) {
      area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
    }
    return area / (x[x.length - 1] - x[0]);
  }

  /** The x at which the curve first is as high as that, between points on a line; NaN if never. */
  static double firstReaching(double height, double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) {
      if (y[i] >= height) {
        return i == 0
            ? x[0]
            : x[i - 1] + (height - y[i - 1]) / (y[i] - y[i - 1]) * (x[i] - x[i - 1]);
      }
    }
    return Double.NaN;
  }
}
