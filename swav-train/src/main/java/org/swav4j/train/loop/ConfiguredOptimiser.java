package org.swav4j.train.loop;

import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.config.TrainingConfig.OptimiserKind;
import org.swav4j.train.optimiser.Lars;
import org.swav4j.train.optimiser.Optimiser;
import org.swav4j.train.optimiser.Sgd;

/** The update rule that a configuration asks for. */
public final class ConfiguredOptimiser {
  private ConfiguredOptimiser() {}

  /** A new one, at rest. */
  public static Optimiser of(TrainingConfig.Optimisation o) {
    return of(o.optimiser(), o.momentum(), o.weightDecay());
  }

  /**
   * A new one, at rest; whatever else its rule has is SwAV's.
   *
   * @param momentum in [0, 1)
   * @param weightDecay at least 0
   */
  public static Optimiser of(OptimiserKind kind, double momentum, double weightDecay) {
    return switch (kind) {
      case SGD -> new Sgd(momentum, weightDecay);
      case LARS -> new Lars(momentum, weightDecay);
    };
  }
}
