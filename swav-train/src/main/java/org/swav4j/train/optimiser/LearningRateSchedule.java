package org.swav4j.train.optimiser;

/**
 * The learning rate at every iteration: a linear warm-up, then half a cosine.
 *
 * <pre>
 * t &lt; warmup:  start + (base - start) t / (warmup - 1)            both ends included
 * else:        last + (base - last) (1 + cos(pi u / U)) / 2,  u = t - warmup, U = total - warmup
 * </pre>
 *
 * <p>The base rate is so used twice in a row, and the last rate would be reached one iteration
 * after the end (swapped-prediction recipes of <a href="https://arxiv.org/abs/2006.09882">arXiv
 * 2006.09882</a>). A pure function of its values: to resume needs nothing but the same arguments.
 *
 * @param warmup iterations of warm-up, 0 for none
 * @param total iterations in all, at least {@code warmup}
 * @param start rate of iteration 0 if there is a warm-up
 * @param base the highest rate
 * @param last rate the cosine runs towards
 */
public record LearningRateSchedule(
    long warmup, long total, double start, double base, double last) {

  /** Checks the values; throws IllegalArgumentException with the offending one. */
  public LearningRateSchedule {
    rate("base", base);
    rate("start", start);
    rate("final", last);
    if (total < 1 || warmup < 0 || warmup > total) {
      throw new IllegalArgumentException(
          "a warm-up of "
              + warmup
              + " iterations does not fit into "
              + total
              + ": train at least one epoch, and longer than the warm-up");
    }
  }

  private static void rate(String name, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          name + " learning rate " + value + " is not a number of at least 0");
    }
  }

  /** The same in epochs of {@code iterationsPerEpoch} iterations. */
  public static LearningRateSchedule ofEpochs(
      int iterationsPerEpoch,
      int epochs,
      int warmupEpochs,
      double start,
      double base,
      double last) {
    long n = iterationsPerEpoch;
    return new LearningRateSchedule(n * warmupEpochs, n * epochs, start, base, last);
  }

  /** Half a cosine without warm-up; with epochs for iterations, the linear probe's. */
  public static LearningRateSchedule cosine(long total, double base, double last) {
    return new LearningRateSchedule(0, total, base, base, last);
  }

  /**
   * The learning rate of iteration {@code t}, counted from 0.
   *
   * @throws IllegalArgumentException if {@code t} is not in [0, total)
   */
  public double at(long t) {
    if (t < 0 || t >= total) {
      throw new IllegalArgumentException(
          "iteration " + t + " is outside a schedule of " + total + " iterations");
    }
    if (t < warmup) {
      return warmup == 1 ? start : start + (base - start) * t / (warmup - 1);
    }
    double u = (double) (t - warmup) / (total - warmup);
    return last + (base - last) * (1 + Math.cos(Math.PI * u)) / 2;
  }
}
