package org.swav4j.train.config;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.swav4j.data.Normalisation;

/** Values that follow from those given: each is a rule for a setting that was left out. */
final class ImpliedValues {
  private final Map<String, String> given;
  private final TrainingConfig base;
  private final Map<String, String> all;

  private ImpliedValues(Map<String, String> given, TrainingConfig base) {
    this.given = given;
    this.base = base;
    this.all = new LinkedHashMap<>(given);
  }

  /**
   * The values given, and those that follow from them.
   *
   * @param given by flag
   * @param base what they change
   * @throws IllegalArgumentException if a value is given without one that belongs to it
   */
  static Map<String, String> added(Map<String, String> given, TrainingConfig base) {
    ImpliedValues values = new ImpliedValues(given, base);
    values.normalisation();
    values.scales();
    values.learningRates();
    values.shortRun("warmup", base.optimisation().warmupEpochs());
    values.shortRun("freeze", base.optimisation().freezeEpochs());
    return values.all;
  }

  /** The values given for a run that goes on, and the last learning rate where it follows. */
  static Map<String, String> onResume(Map<String, String> given, TrainingConfig before) {
    ImpliedValues values = new ImpliedValues(given, before);
    values.learningRates();
    return values.all;
  }

  /** Mean and deviation come together, and those of the base are for its own channels. */
  private void normalisation() {
    if (given.containsKey("mean") != given.containsKey("deviation")) {
      throw new IllegalArgumentException(
          "`mean` and `deviation` belong together, and only one was given");
    }
    Normalisation before = base.data().normalisation();
    if (before == null || given.containsKey("mean") || !given.containsKey("channels")) {
      return;
    }
    int channels = (int) number("channels", int.class);
    if (channels != 0 && channels != before.channels()) {
      all.put("mean", "measured");
      all.put("deviation", "measured");
    }
  }

  /** Crop groups keep the scales of the base, as far as it has any. */
  private void scales() {
    if (given.containsKey("crops") && !given.containsKey("scales")) {
      int groups = given.get("crops").split(",", -1).length;
      if (groups > base.crops().size()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "`crops` has %d groups, and there are scales for %d: give `scales` too, MIN-MAX for"
                    + " each group",
                groups,
                base.crops().size()));
      }
    }
  }

  /** In proportion to the batch; one that is given takes the last along. */
  private void learningRates() {
    TrainingConfig.Optimisation before = base.optimisation();
    if (given.containsKey("batch") || given.containsKey("accumulate")) {
      TrainingConfig.Optimisation scaled =
          before.scaledTo(
              given.containsKey("batch") ? (int) number("batch", int.class) : before.batch(),
              given.containsKey("accumulate")
                  ? (int) number("accumulate", int.class)
                  : before.accumulate());
      follow("lr", scaled.learningRate());
      follow("start-lr", scaled.startLearningRate());
      if (!given.containsKey("lr")) {
        follow("final-lr", scaled.finalLearningRate());
      }
    }
    if (given.containsKey("lr")) {
      double share = before.finalLearningRate() / before.learningRate();
      follow("final-lr", share * (double) number("lr", double.class));
    }
  }

  /** A number of epochs, but at most a tenth of a run whose length was given. */
  private void shortRun(String flag, double before) {
    if (given.containsKey("epochs")) {
      follow(flag, Math.min(before, (int) number("epochs", int.class) / 10.0));
    }
  }

  private void follow(String flag, double value) {
    if (!given.containsKey(flag)) {
      all.put(flag, TrainingConfig.number(value));
    }
  }

  private Object number(String flag, Class<?> type) {
    return Notation.parse(flag, given.get(flag), type);
  }
}
