package org.swav4j.train.loop;

import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.optimiser.Lars;
import org.swav4j.train.optimiser.Optimiser;
import org.swav4j.train.optimiser.Sgd;

/** The update rule that a configuration asks for. */
public final class ConfiguredOptimiser {
  private ConfiguredOptimiser() {}

  /** A new one, at rest. */
  public static Optimiser of(TrainingConfig.Optimisation o) {
    return switch (o.optimiser()) {
      case SGD -> new Sgd(o.momentum(), o.weightDecay());
      case LARS ->
          new Lars(
              Lars.Rule.of(o.momentum(), o.weightDecay())
                  .withTrust(o.larsTrust())
                  .withRatio(o.larsRatio())
                  .withScope(o.larsScope()));
    };
  }
}
