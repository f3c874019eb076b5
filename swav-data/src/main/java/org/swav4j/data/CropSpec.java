package org.swav4j.data;

import java.util.Locale;

/**
 * One group of crops: how many, their side in pixels, and what share of the image's area each
 * shows.
 *
 * @param count crops of this kind per image, at least 1
 * @param size side of the square crop in pixels, 1 to 4096
 * @param minScale smallest share of the image's area, above 0
 * @param maxScale largest share, up to 1
 */
public record CropSpec(int count, int size, double minScale, double maxScale) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the value that is out of range
   */
  public CropSpec {
    if (count < 1) {
      throw new IllegalArgumentException(
          "crop count " + count + ", expected at least 1: leave the group out to have none of it");
    }
    if (size < 1 || size > 4096) {
      throw new IllegalArgumentException(
          "crop size " + size + " pixels, expected 1 to 4096 (the paper uses 224 and 96)");
    }
    if (!(minScale > 0 && minScale <= maxScale && maxScale <= 1)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "crop scale %s to %s, expected 0 < min <= max <= 1: it is the share of the image's"
                  + " area (the paper uses 0.14 to 1 for large crops, 0.05 to 0.14 for small ones)",
              minScale,
              maxScale));
    }
  }

  /** The paper's large crops: 14 % to all of the area. */
  public static CropSpec large(int count, int size) {
    return new CropSpec(count, size, 0.14, 1);
  }

  /** The paper's small crops: 5 % to 14 % of the area. */
  public static CropSpec small(int count, int size) {
    return new CropSpec(count, size, 0.05, 0.14);
  }

  /**
   * Shorter side, in pixels, from which decoding an image larger brings this group nothing: its
   * smallest window then has {@code size} pixels a side.
   */
  int sufficientSide() {
    return (int) Math.ceil(size / Math.sqrt(minScale));
  }
}
