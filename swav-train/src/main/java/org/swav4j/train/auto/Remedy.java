package org.swav4j.train.auto;

import java.util.Optional;
import org.swav4j.train.advice.HealthState;
import org.swav4j.train.config.TrainingConfig;

/** The one setting that is changed when the first steps show that a choice was wrong. */
public final class Remedy {
  private Remedy() {}

  /** What to change; empty if nothing is known to help. */
  public static Optional<Choice> of(HealthState state, TrainingConfig config) {
    double rate = config.optimisation().learningRate();
    double jitter = config.augmentation().jitter();
    return switch (state) {
      case UNIFORM ->
          config.codes().epsilon() > 0.03
              ? change("epsilon", 0.03, "codes said nothing")
              : change("jitter", jitter / 2, "crops of an image had too little in common");
      case SLOW, STUCK -> change("lr", 2 * rate, "the loss stayed at chance");
      case DIVERGED, UNSTABLE -> change("lr", rate / 4, "the loss rose");
      case COLLAPSED, COLLAPSING -> change("lr", rate / 2, "embeddings or codes collapsed");
      case STARVED ->
          change(
              "prototypes",
              config.optimisation().imagesPerStep() + config.queueRows(),
              "they were more than there are samples");
      case EASY -> change("jitter", Math.min(1, 2 * jitter + 0.2), "crops were too much alike");
      default -> Optional.empty();
    };
  }

  private static Optional<Choice> change(String flag, double value, String reason) {
    return Optional.of(new Choice(flag, TrainingConfig.number(value), reason));
  }
}
