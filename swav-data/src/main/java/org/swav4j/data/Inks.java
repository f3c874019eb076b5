package org.swav4j.data;

/** Cyan, magenta, yellow and black as red, green and blue, where no profile says how. */
final class Inks {
  private Inks() {}

  /**
   * Each colour is what its ink and the black leave of white: {@code (1 - ink) (1 - black)}.
   *
   * @param inks four bytes a pixel, 255 is full ink
   * @param rgb three bytes a pixel
   */
  static void toRgb(byte[] inks, byte[] rgb) {
    for (int i = 0, o = 0; i < inks.length; i += 4, o += 3) {
      int white = 255 - (inks[i + 3] & 0xff);
      for (int c = 0; c < 3; c++) {
        rgb[o + c] = (byte) (((255 - (inks[i + c] & 0xff)) * white + 127) / 255);
      }
    }
  }

  /** YCbCr (JFIF, full range) of the pixel at an index to the RGB that stands for three inks. */
  static void fromYcc(int[] samples, int at) {
    double luma = samples[at];
    double cb = samples[at + 1] - 128;
    double cr = samples[at + 2] - 128;
    samples[at] = clamp(luma + 1.402 * cr);
    samples[at + 1] = clamp(luma - 0.344136286 * cb - 0.714136286 * cr);
    samples[at + 2] = clamp(luma + 1.772 * cb);
  }

  private static int clamp(double value) {
    return (int) Math.max(0, Math.min(255, Math.round(value)));
  }
}
