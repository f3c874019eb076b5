package org.swav4j.data;

import java.util.Arrays;

/** The one thing taken from EXIF data: how the camera was held (tag 0x112 of the first IFD). */
final class Exif {
  private static final int ORIENTATION = 0x112;
  private static final int SHORT = 3;

  private Exif() {}

  /**
   * The orientation, 1 (upright) to 8; 1 where there is none or the data make no sense.
   *
   * @param bytes that hold a TIFF structure, in either byte order
   * @param from where its header starts
   * @param to where it ends, exclusive
   */
  static int orientation(byte[] bytes, int from, int to) {
    byte[] tiff = Arrays.copyOfRange(bytes, from, Math.min(to, bytes.length));
    Bytes big = new Bytes(tiff, true);
    boolean motorola = big.startsWith(0, 'M', 'M', 0, 42);
    if (!motorola && !big.startsWith(0, 'I', 'I', 42, 0)) {
      return 1;
    }
    Bytes in = motorola ? big : new Bytes(tiff, false);
    long directory = in.u32(4);
    int entries = in.u16(directory);
    for (int i = 0; i < entries; i++) {
      long entry = directory + 2 + 12L * i;
      if (in.u16(entry) == ORIENTATION) {
        int value = in.u16(entry + 2) == SHORT ? in.u16(entry + 8) : in.s32(entry + 8);
        return value >= 1 && value <= 8 ? value : 1;
      }
    }
    return 1;
  }

  /** The same of data that may start with the six bytes that JPEG puts before them. */
  static int orientationWithPrefix(byte[] bytes, int from, int to) {
    boolean prefixed = new Bytes(bytes, true).startsWith(from, 'E', 'x', 'i', 'f', 0);
    return orientation(bytes, prefixed ? from + 6 : from, to);
  }
}
