package org.swav4j.data;

import java.util.Locale;

/**
 * Something that users should hear of an image that was read nevertheless.
 *
 * @param kind what it is, the same for all images that have it
 * @param detail how it shows in this image
 */
public record ImageRemark(Kind kind, String detail) {
  /** What can be remarked. */
  public enum Kind {
    /** Values of 16 bits that use less than a quarter of their range. */
    LOW_RANGE(
        "of 16 bits a value with most of the range unused, which come out nearly black (scale the"
            + " values to the full range)"),
    /** A gamma in a PNG that is not sRGB's. */
    GAMMA("with a declared gamma other than sRGB's, which is not applied"),
    /** A colour profile that can't be applied. */
    PROFILE("with a colour profile that can't be applied, taken as sRGB");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** What follows "3 images" in a sentence. */
    public String text() {
      return text;
    }
  }

  static ImageRemark lowRange(int largest, int maximum) {
    return new ImageRemark(
        Kind.LOW_RANGE,
        String.format(
            Locale.ROOT,
            "its largest value is %d of %d: %.2g %% of the range",
            largest,
            maximum,
            100.0 * largest / maximum));
  }
}
