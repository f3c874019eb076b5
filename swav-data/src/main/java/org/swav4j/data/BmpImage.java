package org.swav4j.data;

import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * Windows and OS/2 bitmaps: palettes of 1 to 8 bits, plain or run-length encoded, and pixels of 16,
 * 24 and 32 bits, with the masks that the header gives. The fourth byte of a pixel is transparency
 * only where a mask says so: in other files it is undefined.
 */
final class BmpImage extends EncodedImage {
  private static final int RGB = 0;
  private static final int RLE8 = 1;
  private static final int RLE4 = 2;
  private static final int BITFIELDS = 3;
  private static final int ALPHABITFIELDS = 6;
  private static final int CORE = 12; // bytes of OS/2's first header
  private static final int EMBEDDED = 0x4d424544; // "MBED"

  private final byte[] bytes;
  private final Bytes in;
  private final int header;
  private final int bits;
  private final int compression;
  private final boolean topDown;
  private final long start;

  private BmpImage(byte[] bytes, Bytes in, int header, int width, long height, int compression)
      throws MalformedException {
    super(ImageFormat.BMP, width, Math.abs(height)); // negative: rows from top to bottom
    this.bytes = bytes;
    this.in = in;
    this.header = header;
    this.compression = compression;
    this.topDown = height < 0;
    this.bits = in.u16(header == CORE ? 24 : 28);
    this.start = in.u32(10);
  }

  static BmpImage parse(byte[] bytes) throws MalformedException {
    if (bytes.length < 30) {
      throw new MalformedException("truncated BMP: " + bytes.length + " bytes, no header");
    }
    Bytes in = new Bytes(bytes, false);
    int header = in.s32(14);
    boolean core = header == CORE;
    int compression = core || header < 20 ? RGB : in.s32(30);
    if (header != CORE && (header < 16 || header > 124)) {
      throw new MalformedException("unsupported BMP: header of " + header + " bytes");
    }
    BmpImage image =
        new BmpImage(
            bytes,
            in,
            header,
            core ? in.u16(18) : in.s32(18),
            core ? in.u16(20) : in.s32(22),
            compression);
    image.check();
    return image;
  }

  private void check() throws MalformedException {
    boolean known =
        switch (compression) {
          case RGB -> bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits >= 16;
          case RLE8 -> bits == 8;
          case RLE4 -> bits == 4;
          case BITFIELDS -> header != 64 && (bits == 16 || bits == 32);
          case ALPHABITFIELDS -> bits == 16 || bits == 32;
          default -> false;
        };
    if (!known || bits > 32 || bits % 8 != 0 && bits > 8) {
      throw new MalformedException(
          String.format(
              Locale.ROOT,
              "unsupported BMP: %d bits per pixel with compression %d, read are palettes of 1 to 8"
                  + " bits (plain or RLE) and pixels of 16, 24 and 32 bits",
              bits,
              compression));
    }
    long expected =
        compression == RLE8 || compression == RLE4 ? start + 2 : start + rowBytes() * height();
    if (start < 14 + header || bytes.length < expected) {
      throw new MalformedException(
          "truncated BMP: " + bytes.length + " bytes of " + expected + " expected");
    }
  }

  private long rowBytes() {
    return ((long) width() * bits + 31) / 32 * 4;
  }

  /** The profile that a header of version 5 embeds. */
  @Override
  byte[] profile() {
    if (header < 124 || in.s32(14 + 56) != EMBEDDED) {
      return null;
    }
    long from = 14 + in.u32(14 + 112);
    long size = in.u32(14 + 116);
    if (size > ColourProfile.MAX_BYTES || from + size > bytes.length) {
      return new byte[0];
    }
    return Arrays.copyOfRange(bytes, (int) from, (int) (from + size));
  }

  @Override
  Mat decode(int channels, int atLeast) throws MalformedException {
    if (bits <= 8) {
      int[] palette = palette();
      byte[] indices = compression == RGB ? null : runs();
      return mat(width(), height(), 3, (y, row) -> indexed(y, row, palette, indices));
    }
    Field[] fields = fields();
    return mat(width(), height(), 3, (y, row) -> packed(y, row, fields));
  }

  /** Where a row starts among the stored ones. */
  private long stored(int y) {
    return topDown ? y : height() - 1 - y;
  }

  private int[] palette() {
    int entry = header == CORE ? 3 : 4;
    long used = header >= 40 ? in.u32(46) : 0;
    int count = (int) (used == 0 || used > 1 << bits ? 1 << bits : used);
    long from = 14L + header;
    int[] palette = new int[1 << bits];
    for (int i = 0; i < count && from + (i + 1L) * entry <= start; i++) {
      palette[i] = in.u24(from + (long) i * entry);
    }
    return palette;
  }

  private void indexed(int y, byte[] row, int[] palette, byte[] indices) {
    long from = start + stored(y) * rowBytes();
    for (int x = 0; x < width(); x++) {
      int index;
      if (indices != null) {
        index = indices[(int) stored(y) * width() + x] & 0xff;
      } else {
        int bit = x * bits % 8;
        index = in.u8(from + (long) x * bits / 8) >> (8 - bits - bit) & ((1 << bits) - 1);
      }
      int colour = palette[index];
      row[3 * x] = (byte) (colour >> 16);
      row[3 * x + 1] = (byte) (colour >> 8);
      row[3 * x + 2] = (byte) colour;
    }
  }

  /** Run-length encoded indices, bottom row first; pixels passed over have index 0. */
  private byte[] runs() throws MalformedException {
    byte[] indices = new byte[width() * height()];
    long at = start;
    int x = 0;
    int y = 0;
    while (y < height()) {
      if (at + 2 > bytes.length) {
        throw new MalformedException("truncated BMP: its runs end in row " + y + " of " + height());
      }
      int count = in.u8(at);
      int value = in.u8(at + 1);
      at += 2;
      if (count > 0) {
        for (int i = 0; i < count && x < width(); i++) {
          indices[y * width() + x++] = index(value, i);
        }
      } else if (value == 0) {
        x = 0;
        y++;
      } else if (value == 1) {
        return indices;
      } else if (value == 2) {
        x += in.u8(at);
        y += in.u8(at + 1);
        at += 2;
      } else {
        long next = at + (bits == 8 ? value + 1 & ~1 : (value + 3) / 4 * 2);
        for (int i = 0; i < value && x < width(); i++) {
          int pair = in.u8(bits == 8 ? at + i : at + i / 2);
          indices[y * width() + x++] = index(pair, i);
        }
        at = next;
      }
    }
    return indices;
  }

  /** Of the two indices in a byte of four-bit runs, the i-th in turn. */
  private byte index(int value, int i) {
    return (byte) (bits == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
  }

  /** Where one colour is in a pixel. */
  private record Field(int mask, int shift, int maximum) {
    static Field of(long mask) {
      int shift = mask == 0 ? 0 : Long.numberOfTrailingZeros(mask);
      return new Field((int) mask, shift, (int) (mask >>> shift));
    }

    /** The colour from 0 to 255, where all bits set are 255. */
    int value(int pixel) {
      long value = (pixel & mask) >>> shift & 0xffffffffL;
      long largest = maximum & 0xffffffffL;
      return largest == 0 ? 0 : (int) ((value * 255 + largest / 2) / largest);
    }
  }

  /** Red, green, blue and, where the header tells of it, alpha. */
  private Field[] fields() throws MalformedException {
    long[] masks = new long[4];
    if (compression == BITFIELDS || compression == ALPHABITFIELDS) {
      int count = header >= 56 || compression == ALPHABITFIELDS ? 4 : 3;
      for (int i = 0; i < count; i++) {
        masks[i] = in.u32(54 + 4L * i);
      }
    } else if (bits == 16) {
      masks = new long[] {0x7c00, 0x3e0, 0x1f, 0};
    } else {
      masks = new long[] {0xff0000, 0xff00, 0xff, 0};
    }
    Field[] fields = new Field[4];
    for (int i = 0; i < 4; i++) {
      fields[i] = Field.of(masks[i]);
      int maximum = fields[i].maximum();
      if ((maximum & (maximum + 1)) != 0) {
        throw new MalformedException(
            String.format(Locale.ROOT, "broken BMP: mask %08x has gaps", masks[i]));
      }
    }
    return fields;
  }

  private void packed(int y, byte[] row, Field[] fields) {
    long from = start + stored(y) * rowBytes();
    int size = bits / 8;
    if (bits == 24) {
      for (int x = 0, at = (int) from; x < row.length; x += 3, at += 3) {
        row[x] = bytes[at + 2];
        row[x + 1] = bytes[at + 1];
        row[x + 2] = bytes[at];
      }
      return;
    }
    for (int x = 0; x < width(); x++) {
      int pixel = size == 2 ? in.u16(from + 2L * x) : in.s32(from + 4L * x);
      int alpha = fields[3].mask() == 0 ? 255 : fields[3].value(pixel);
      for (int c = 0; c < 3; c++) {
        row[3 * x + c] = overWhite(fields[c].value(pixel), alpha);
      }
    }
  }
}
