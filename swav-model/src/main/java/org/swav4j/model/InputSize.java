package org.swav4j.model;

import java.util.Locale;

/**
 * How large a network sees a picture: the shorter side is resized to {@code resize} pixels, and of
 * that the central square of {@code size} pixels is what it is given. Weights keep it, so that
 * features are the same wherever they are used.
 *
 * @param resize pixels, at least {@code size}; equal to it, the square spans the shorter side
 * @param size pixels, 4 to 4096
 */
public record InputSize(int resize, int size) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the one that is out of range
   */
  public InputSize {
    if (size < 4 || size > 4096 || resize < size || resize > 8192) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a central square of %d pixels of a shorter side of %d, expected 4 to 4096 pixels, and"
                  + " a side of at least as many, up to 8192",
              size,
              resize));
    }
  }

  /** The whole shorter side, resized to so many pixels. */
  public static InputSize of(int size) {
    return new InputSize(size, size);
  }

  /**
   * What is assumed for weights that don't say it: 224 pixels behind the stem for photographs, 32
   * behind any other.
   */
  public static InputSize assumed(SwavConfig config) {
    return of(config.stem() == Stem.IMAGENET ? 224 : 32);
  }

  /** {@code 224 pixels}, or {@code 224 of 256 pixels}. */
  @Override
  public String toString() {
    return resize == size ? size + " pixels" : size + " of " + resize + " pixels";
  }
}
