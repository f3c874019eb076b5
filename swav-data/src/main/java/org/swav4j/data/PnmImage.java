package org.swav4j.data;

import org.bytedeco.opencv.opencv_core.Mat;

/**
 * Netpbm's formats: {@code P1} to {@code P3} as decimal text, {@code P4} to {@code P6} as bits,
 * bytes or big-endian words, of any maximum up to 65535. The maximum is white; in bit maps 1 is
 * black. The first image of a file is read.
 */
final class PnmImage extends EncodedImage {
  private final byte[] bytes;
  private final int kind;
  private final int maximum;
  private final int start;

  private int at;
  private int largest;

  private PnmImage(byte[] bytes, int kind, int width, int height, int maximum, int start)
      throws MalformedException {
    super(ImageFormat.PNM, width, height);
    this.bytes = bytes;
    this.kind = kind;
    this.maximum = maximum;
    this.start = start;
  }

  static PnmImage parse(byte[] bytes) throws MalformedException {
    int kind = bytes[1] - '0';
    int numbers = kind == 1 || kind == 4 ? 2 : 3;
    int[] fields = {0, 0, 1};
    int at = 2;
    for (int f = 0; f < numbers; f++) {
      at = skipSpace(bytes, at);
      int digits = 0;
      while (at < bytes.length && isDigit(bytes[at]) && digits++ < 8) {
        fields[f] = (digits == 1 ? 0 : fields[f] * 10) + (bytes[at++] - '0');
      }
      if (digits == 0) {
        throw new MalformedException("broken PBM/PGM/PPM: no width, height and maximum in header");
      }
    }
    if (fields[2] < 1 || fields[2] > 65535) {
      throw new MalformedException(
          "broken PBM/PGM/PPM: maximum " + fields[2] + ", expected 1 to 65535");
    }
    PnmImage image = new PnmImage(bytes, kind, fields[0], fields[1], fields[2], at + 1);
    long expected = image.start + image.bytesAtLeast();
    if (bytes.length < expected) {
      throw new MalformedException(
          "truncated PBM/PGM/PPM: " + bytes.length + " bytes of " + expected + " expected");
    }
    return image;
  }

  private long bytesAtLeast() {
    long values = (long) width() * height() * channels();
    return switch (kind) {
      case 1 -> values;
      case 2, 3 -> 2 * values - 1;
      case 4 -> (width() + 7L) / 8 * height();
      default -> values * (maximum > 255 ? 2 : 1);
    };
  }

  private int channels() {
    return kind == 3 || kind == 6 ? 3 : 1;
  }

  @Override
  Mat decode(int channels, int atLeast) throws MalformedException {
    at = start;
    Mat mat = mat(width(), height(), channels(), (y, row) -> row(row));
    remarkRange(largest, maximum);
    return mat;
  }

  private void row(byte[] row) throws MalformedException {
    int bits = 0;
    for (int i = 0; i < row.length; i++) {
      switch (kind) {
        case 1 -> row[i] = (byte) (bit() == 0 ? 255 : 0);
        case 4 -> {
          bits = i % 8 == 0 ? bytes[at++] : bits << 1;
          row[i] = (byte) ((bits & 0x80) == 0 ? 255 : 0);
        }
        default -> {
          int value = kind <= 3 ? number() : maximum > 255 ? word() : bytes[at++] & 0xff;
          largest = Math.max(largest, value);
          row[i] = (byte) ((Math.min(value, maximum) * 255 + maximum / 2) / maximum);
        }
      }
    }
  }

  private int word() {
    at += 2;
    return (bytes[at - 2] & 0xff) << 8 | bytes[at - 1] & 0xff;
  }

  /** The digits of a plain bit map need no space between them. */
  private int bit() throws MalformedException {
    at = skipSpace(bytes, at);
    if (at >= bytes.length) {
      throw new MalformedException("truncated PBM: it ends before the last pixel");
    }
    int bit = bytes[at++] - '0';
    if (bit != 0 && bit != 1) {
      throw new MalformedException("broken PBM: neither 0 nor 1 at byte " + (at - 1));
    }
    return bit;
  }

  private int number() throws MalformedException {
    at = skipSpace(bytes, at);
    int value = 0;
    int first = at;
    while (at < bytes.length && isDigit(bytes[at]) && at - first < 6) {
      value = value * 10 + (bytes[at++] - '0');
    }
    if (at == first) {
      throw new MalformedException(
          at < bytes.length
              ? "broken PGM/PPM: no number at byte " + at
              : "truncated PGM/PPM: it ends before the last pixel");
    }
    return value;
  }

  private static int skipSpace(byte[] bytes, int from) {
    int at = from;
    while (at < bytes.length && (isSpace(bytes[at]) || bytes[at] == '#')) {
      if (bytes[at] == '#') {
        while (at < bytes.length && bytes[at] != '\n') {
          at++;
        }
      } else {
        at++;
      }
    }
    return at;
  }

  private static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || (b >= '\t' && b <= '\r');
  }
}
