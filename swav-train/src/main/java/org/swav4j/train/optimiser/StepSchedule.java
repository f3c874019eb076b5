package org.swav4j.train.optimiser;

import java.util.List;

/**
 * A learning rate that falls in steps: {@code base · gammaⁿ}, n being the milestones that are
 * reached.
 *
 * @param base rate of the first epoch, at least 0
 * @param gamma what the rate is multiplied by at each milestone, at least 0
 * @param milestones epochs, counted from 0, from which on the rate is lower
 */
public record StepSchedule(double base, double gamma, List<Integer> milestones) {
  /** Checks the values; throws IllegalArgumentException with the offending one. */
  public StepSchedule {
    milestones = List.copyOf(milestones);
    if (!(base >= 0 && base < Double.POSITIVE_INFINITY)
        || !(gamma >= 0 && gamma < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "learning rate " + base + " with steps of " + gamma + ", expected numbers of at least 0");
    }
  }

  /**
   * The schedule of semi-supervised fine-tuning in <a href="https://arxiv.org/abs/2006.09882">arXiv
   * 2006.09882</a>: a fifth of the rate after 60 and again after 80 % of the epochs, there 12 and
   * 16 of 20.
   */
  public static StepSchedule fineTuning(double base, int epochs) {
    return new StepSchedule(base, 0.2, List.of(epochs * 3 / 5, epochs * 4 / 5));
  }

  /** The rate of an epoch, counted from 0. */
  public double at(int epoch) {
    double rate = base;
    for (int milestone : milestones) {
      rate *= epoch >= milestone ? gamma : 1;
    }
    return rate;
  }
}
