package org.swav4j.train.cli;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.swav4j.data.DataSpec;
import org.swav4j.train.auto.AutoSettings;
import org.swav4j.train.auto.Choice;
import org.swav4j.train.auto.DataSurvey;
import org.swav4j.train.auto.MeasuredPace;
import org.swav4j.train.config.MethodKind;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;

/**
 * {@code --preset auto}: settings that follow from the images, this machine and a budget of time.
 *
 * @param data opened, with the configuration that was chosen
 * @param selection what was chosen, and why
 */
record AutoPreset(TrainingData data, AutoSettings.Selection selection) {
  static final String NAME = "auto";

  /** Where no budget is given. */
  static final String BUDGET = "1h";

  /** Fewer images than any preset's batch are opened, too. */
  private static final String SMALLEST_BATCH = "16";

  /**
   * Whether settings are to be chosen: that is asked for, or there are images and nothing else is.
   *
   * @param preset as given; null if it wasn't
   * @param given settings, by flag
   */
  static boolean applies(String preset, Map<String, String> given) {
    return preset == null
        ? given.containsKey("data") && !given.get("data").startsWith("shapes")
        : preset.equals(NAME);
  }

  /**
   * Opens the images and chooses.
   *
   * @param given settings that stay as they are, by flag without dashes
   * @param budget such as {@code 90min}
   * @throws IllegalArgumentException if something given can't be used
   */
  static AutoPreset choose(Map<String, String> given, String budget, OutputOptions output) {
    Duration time = budget(budget);
    long start = System.nanoTime();
    Map<String, String> opening = new LinkedHashMap<>(given);
    opening.putIfAbsent("batch", SMALLEST_BATCH);
    TrainingData data = TrainingData.open(Settings.change(Preset.PHOTOS.config(), opening));
    Map<String, String> fixed = new LinkedHashMap<>(given);
    fixed.put("data", data.config().data().spec());
    if (data.config().method() == MethodKind.SUPERVISED) {
      fixed.put("prototypes", Integer.toString(data.config().network().prototypes()));
    }
    output.note(
        "looking at %s and timing some steps, to choose settings for %s",
        DataSpec.parse(data.config().data().spec()), AutoSettings.readable(time));
    AutoSettings.Selection selection =
        AutoSettings.choose(
            DataSurvey.of(data.sets().train()),
            fixed,
            time,
            () -> (System.nanoTime() - start) / 1e9,
            new MeasuredPace(
                data.sets().train(),
                data.config().data().normalisation(),
                config -> TrainingMemory.trainer(with(data, config))));
    return new AutoPreset(with(data, selection.config()), selection);
  }

  /** The same data with another configuration. */
  private static TrainingData with(TrainingData data, TrainingConfig config) {
    return new TrainingData(
        data.sets(), config.withNormalisation(data.config().data().normalisation()), data.notes());
  }

  /** The same with one setting changed. */
  AutoPreset with(Choice change) {
    TrainingConfig changed = Settings.change(data.config(), Map.of(change.flag(), change.value()));
    return new AutoPreset(with(data, changed), selection);
  }

  /** Says what was chosen, a line each. */
  void tell(OutputOptions output) {
    selection.choices().forEach(choice -> output.note("  %s", Flags.of(choice)));
    output.note("expected: %s", time());
  }

  /** How long the run will take, for people. */
  String time() {
    return AutoSettings.readable(Duration.ofSeconds(Math.round(selection.seconds())));
  }

  /**
   * A time such as {@code 2h}, {@code 90min} or {@code 1h30m}.
   *
   * @throws IllegalArgumentException if it is none, or less than a minute
   */
  static Duration budget(String text) {
    try {
      String iso = "PT" + text.strip().toUpperCase(Locale.ROOT).replace("MIN", "M");
      Duration time = Duration.parse(iso);
      if (time.compareTo(Duration.ofMinutes(1)) >= 0) {
        return time;
      }
    } catch (DateTimeParseException e) {
      // Told below, as is a time that is too short.
    }
    throw new IllegalArgumentException(
        "--budget is '"
            + text
            + "', expected a time of at least a minute such as 2h, 90min or 1h30m");
  }
}
