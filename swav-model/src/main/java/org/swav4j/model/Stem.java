package org.swav4j.model;

import java.util.Locale;

/** What stands before the first stage. */
public enum Stem {
  /** One 3×3 convolution of stride 1: for images up to about 64 pixels. */
  SMALL,
  /** A 7×7 convolution of stride 2 and a 3×3 max-pooling of stride 2: for photographs. */
  IMAGENET;

  /** The name used on the command line and in files: {@code small}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The stem of that label.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Stem of(String label) {
    for (Stem s : values()) {
      if (s.label().equals(label)) {
        return s;
      }
    }
    throw new IllegalArgumentException(
        "stem '" + label + "' is unknown, expected small (3×3) or imagenet (7×7, stride 2)");
  }
}
