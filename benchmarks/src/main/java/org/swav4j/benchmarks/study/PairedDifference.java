package org.swav4j.benchmarks.study;

import java.util.Arrays;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;

/**
 * The mean difference of pairs with its 95 % confidence interval, {@code mean ± t(n - 1) s /
 * sqrt(n)}: Student's, so differences are taken as normally distributed.
 *
 * @param mean of the differences
 * @param half width of the interval; infinite for a single pair
 * @param pairs n
 */
record PairedDifference(double mean, double half, int pairs) {
  private static final double CONFIDENCE = 0.95;

  /** Pairs from which on there is a verdict, by the rules of the study. */
  private static final int LEAST_PAIRS = 3;

  /** What an interval says of the claim that the difference is above 0. */
  enum Verdict {
    SHOWN("shown"),
    REFUTED("refuted"),
    NOT_SHOWN("not shown"),
    TOO_FEW_SEEDS("too few seeds");

    private final String words;

    Verdict(String words) {
      this.words = words;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  /**
   * Of the differences, one a seed.
   *
   * @throws IllegalArgumentException if there is none, or one isn't finite
   */
  static PairedDifference of(double[] differences) {
    int n = differences.length;
    if (n == 0 || !Arrays.stream(differences).allMatch(Double::isFinite)) {
      throw new IllegalArgumentException(
          "differences are " + Arrays.toString(differences) + ", expected one or more numbers");
    }
    SummaryStatistics statistics = new SummaryStatistics();
    Arrays.stream(differences).forEach(statistics::addValue);
    double half =
        n == 1
            ? Double.POSITIVE_INFINITY
            : new TDistribution(n - 1).inverseCumulativeProbability((1 + CONFIDENCE) / 2)
                * statistics.getStandardDeviation()
                / Math.sqrt(n);
    return new PairedDifference(statistics.getMean(), half, n);
  }

  Verdict verdict() {
    if (pairs < LEAST_PAIRS) {
      return Verdict.TOO_FEW_SEEDS;
    }
    if (mean - half > 0) {
      return Verdict.SHOWN;
    }
    return mean + half < 0 ? Verdict.REFUTED : Verdict.NOT_SHOWN;
  }
}
