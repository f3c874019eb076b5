package org.swav4j.benchmarks.study;

import org.apache.commons.math3.stat.interval.ConfidenceInterval;
import org.apache.commons.math3.stat.interval.WilsonScoreInterval;

/** Wilson's score interval (1927) of a probability, right for counts of 0 too. */
final class Wilson {
  private static final double CONFIDENCE = 0.95;

  private Wilson() {}

  /** 95 % interval of the probability of an event seen so many times in n trials. */
  static ConfidenceInterval interval(int n, int seen) {
    return new WilsonScoreInterval().createInterval(n, seen, CONFIDENCE);
  }
}
