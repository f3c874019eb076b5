package org.swav4j.train.bench;

import java.util.Arrays;

/**
 * What repeated runs took, in milliseconds.
 *
 * @param median the middle run, or the mean of the two in the middle
 * @param best the fastest run
 */
public record Times(double median, double best) {
  /**
   * Sums up runs.
   *
   * @param nanoseconds one number per run, at least one
   */
  static Times of(long[] nanoseconds) {
    long[] sorted = nanoseconds.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    double middle = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
    return new Times(middle / 1e6, sorted[0] / 1e6);
  }

  /** Times something that should be run often before it is at full speed. */
  static Times of(int warmup, int repeats, Runnable work) {
    checkRuns(warmup, repeats);
    for (int i = 0; i < warmup; i++) {
      work.run();
    }
    long[] runs = new long[repeats];
    for (int i = 0; i < repeats; i++) {
      long start = System.nanoTime();
      work.run();
      runs[i] = System.nanoTime() - start;
    }
    return of(runs);
  }

  /** How many milliseconds a run takes, from one run. */
  static double once(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }

  static void checkRuns(int warmup, int repeats) {
    if (warmup < 0) {
      throw new IllegalArgumentException("`warmup` is " + warmup + ", expected 0 or more runs");
    }
    if (repeats < 1) {
      throw new IllegalArgumentException(
          "`repeats` is " + repeats + ", expected at least 1 run to take the median of");
    }
  }
}
