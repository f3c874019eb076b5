package org.swav4j.train.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Configurations to start from; every value can be changed on the command line. */
public enum Preset {
  /** A few minutes on 2 cores: to see the method work. */
  QUICK("the built-in shapes, a few minutes on 2 cores: to see it work"),
  /** Pictures of 28 to 64 pixels: hours on a desktop computer. */
  SMALL_IMAGES("pictures of 28 to 64 pixels such as CIFAR; hours"),
  /** Photographs: the published single-node recipe. */
  IMAGENET("photographs: the published recipe for a batch of 256; days");

  private final String summary;

  Preset(String summary) {
    this.summary = summary;
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

  /** The values, as {@link Setting#presets} has them. */
  public TrainingConfig config() {
    return Settings.preset(this);
  }
}
