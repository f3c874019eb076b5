package org.swav4j.train.config;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Configurations to start from; every value can be changed on the command line. */
public enum Preset {
  /** Some minutes on 2 cores: to see the method work. */
  QUICK("the built-in shapes, some minutes on 2 cores: to see it work"),
  /** Pictures of 28 to 64 pixels: hours on a desktop computer. */
  SMALL_IMAGES("pictures of 28 to 64 pixels such as CIFAR; hours"),
  /** Photographs of 64 to 128 pixels, or made that small: hours on a desktop computer. */
  PHOTOS(
      "photographs at 64 to 128 pixels on a processor; hours",
      SMALL_IMAGES,
      "crops=2x64,4x32",
      "scales=0.25-1,0.08-0.3",
      "jitter=0.8",
      "stem=imagenet",
      "hidden=1024",
      "prototypes=120",
      "epsilon=0.02",
      "batch=128",
      "warmup=1",
      "freeze=0.3",
      "eval-size=96"),
  /** Photographs: the published single-node recipe. */
  IMAGENET("photographs: the published recipe for a batch of 256; days");

  private final String summary;
  private final Preset base;
  private final Map<String, String> changes;

  /** A preset of its own: its values are a column of {@link Setting#presets}. */
  Preset(String summary) {
    this.summary = summary;
    this.base = null;
    this.changes = Map.of();
  }

  /**
   * Another preset with changes.
   *
   * @param changes {@code flag=value}, as at the command line without the dashes
   */
  Preset(String summary, Preset base, String... changes) {
    this.summary = summary;
    this.base = base;
    Map<String, String> values = new LinkedHashMap<>(base.changes);
    for (String change : changes) {
      int equals = change.indexOf('=');
      values.put(change.substring(0, equals), change.substring(equals + 1));
    }
    this.changes = Collections.unmodifiableMap(values);
  }

  /** The place in {@link Setting#presets} of its values, or of those that it changes. */
  int column() {
    return base != null
        ? base.column()
        : (int) Arrays.stream(values()).limit(ordinal()).filter(p -> p.base == null).count();
  }

  /** Its values that differ from its column, by flag. */
  Map<String, String> changes() {
    return changes;
  }

  /** What it is for, in a few words. */
  public String summary() {
    return summary;
  }

  /** As on the command line: {@code small-images}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The preset of that label.
   *
   * @throws IllegalArgumentException if there is none, naming those there are
   */
  public static Preset of(String label) {
    return Arrays.stream(values())
        .filter(p -> p.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "preset '"
                        + label
                        + "' is unknown, expected one of "
                        + Arrays.stream(values())
                            .map(Preset::label)
                            .collect(Collectors.joining(", "))));
  }

  /** The values: of {@link Setting#presets}, and what it changes of them. */
  public TrainingConfig config() {
    return Settings.preset(this);
  }
}
