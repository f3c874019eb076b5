package org.swav4j.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.util.Locale;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * What can be known of an encoded image before a pixel is decoded: its format, its size, and
 * whether all of it is there.
 *
 * <p>OpenCV hands out the decoded part of a truncated image as if it were whole, allocates whatever
 * a header asks for, and prints its complaints on standard error. So the container is checked here,
 * and only sound ones reach it.
 *
 * @param bytes what the decoder shall see: the file, for PNG without the chunks it only warns about
 * @param progressive a JPEG whose coefficients are all held in memory, even where decoded reduced
 */
@SuppressWarnings("ArrayRecordComponent")
record EncodedImage(Format format, int width, int height, boolean progressive, byte[] bytes) {

  enum Format {
    JPEG,
    PNG,
    BMP,
    PNM
  }

  /** Why bytes are not an image that can be decoded; the message is the reason alone. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String reason) {
      super(reason);
    }
  }

  private static final Set<String> PNG_CHUNKS_NEEDED =
      Set.of("IHDR", "PLTE", "tRNS", "IDAT", "IEND");

  static EncodedImage parse(byte[] bytes) throws MalformedException {
    if (bytes.length == 0) {
      throw new MalformedException("empty file");
    }
    if (startsWith(bytes, 0, 0xff, 0xd8, 0xff)) {
      return jpeg(bytes);
    }
    if (startsWith(bytes, 0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n')) {
      return png(bytes);
    }
    if (startsWith(bytes, 0, 'B', 'M')) {
      return bmp(bytes);
    }
    if (startsWith(bytes, 0, 'P', '5') || startsWith(bytes, 0, 'P', '6')) {
      return pnm(bytes);
    }
    throw new MalformedException(
        otherFormat(bytes) + "; JPEG, PNG, BMP and binary PGM/PPM are read");
  }

  private static String otherFormat(byte[] bytes) {
    if (startsWith(bytes, 0, 'R', 'I', 'F', 'F') && startsWith(bytes, 8, 'W', 'E', 'B', 'P')) {
      return "WebP is not supported: convert it to PNG or JPEG";
    }
    if (startsWith(bytes, 0, 'G', 'I', 'F', '8')) {
      return "GIF is not supported: convert it to PNG";
    }
    if (startsWith(bytes, 0, 'I', 'I', 42, 0) || startsWith(bytes, 0, 'M', 'M', 0, 42)) {
      return "TIFF is not supported: convert it to PNG";
    }
    if (startsWith(bytes, 0, 0x1f, 0x8b)) {
      return "not an image but a gzip archive: unpack it";
    }
    StringBuilder start = new StringBuilder();
    for (int i = 0; i < Math.min(bytes.length, 12); i++) {
      start.append(bytes[i] >= ' ' && bytes[i] < 127 ? (char) bytes[i] : '.');
    }
    return "not an image, it starts with \"" + start + "\"";
  }

  /** Markers up to the frame header give the size; the end marker must follow the first scan. */
  private static EncodedImage jpeg(byte[] bytes) throws MalformedException {
    int width = 0;
    int height = 0;
    boolean progressive = false;
    int at = 2;
    while (true) {
      while (at < bytes.length && u8(bytes, at) == 0xff) {
        at++; // any number of fill bytes may precede a marker
      }
      if (at + 2 >= bytes.length) {
        throw new MalformedException(
            "truncated JPEG: " + bytes.length + " bytes end before the image data");
      }
      int marker = u8(bytes, at++);
      boolean standalone = marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
      if (standalone) {
        continue;
      }
      int length = u16(bytes, at);
      if (marker == 0xd9 || length < 2) {
        throw new MalformedException("broken JPEG: no image data");
      }
      boolean frame =
          marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
      if (frame && at + 7 <= bytes.length) {
        height = u16(bytes, at + 3);
        width = u16(bytes, at + 5);
        progressive = marker == 0xc2 || marker == 0xc6 || marker == 0xca || marker == 0xce;
      }
      at += length;
      if (marker == 0xda) {
        break;
      }
      if (at < bytes.length && u8(bytes, at) != 0xff) {
        throw new MalformedException("broken JPEG: no marker at byte " + at);
      }
    }
    if (width == 0 || height == 0) {
      throw new MalformedException("broken JPEG: size " + width + "x" + height);
    }
    // Cameras append trailers, so the end marker need not be last; it can't occur inside a scan.
    for (int i = bytes.length - 2; i >= at; i--) {
      if (bytes[i] == (byte) 0xff && bytes[i + 1] == (byte) 0xd9) {
        return new EncodedImage(Format.JPEG, width, height, progressive, bytes);
      }
    }
    throw new MalformedException(
        "truncated JPEG: " + bytes.length + " bytes without an end-of-image marker");
  }

  /** Walks the chunks, checks those that matter and keeps only them. */
  private static EncodedImage png(byte[] bytes) throws MalformedException {
    if (bytes.length < 33 || !startsWith(bytes, 12, 'I', 'H', 'D', 'R')) {
      throw new MalformedException("truncated PNG: " + bytes.length + " bytes, no header");
    }
    long width = u32(bytes, 16);
    long height = u32(bytes, 20);
    if (width < 1 || height < 1 || width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
      throw new MalformedException("broken PNG: size " + width + "x" + height);
    }
    CRC32 crc = new CRC32();
    ByteArrayOutputStream kept = null;
    boolean hasData = false;
    int at = 8;
    while (true) {
      if (at + 12 > bytes.length) {
        throw new MalformedException(
            "truncated PNG: " + bytes.length + " bytes, the end chunk is missing");
      }
      long length = u32(bytes, at);
      String type = new String(bytes, at + 4, 4, ISO_8859_1);
      long next = at + 12 + length;
      if (next > bytes.length) {
        throw new MalformedException(
            String.format(
                Locale.ROOT,
                "truncated PNG: chunk %s ends at byte %d, the file at %d",
                printable(type),
                next,
                bytes.length));
      }
      if (PNG_CHUNKS_NEEDED.contains(type)) {
        crc.reset();
        crc.update(bytes, at + 4, 4 + (int) length);
        if (crc.getValue() != u32(bytes, at + 8 + (int) length)) {
          throw new MalformedException("broken PNG: wrong checksum in chunk " + type);
        }
        if (kept != null) {
          kept.write(bytes, at, 12 + (int) length);
        }
      } else if (Character.isUpperCase(type.charAt(0))) {
        throw new MalformedException("broken PNG: unknown chunk " + printable(type));
      } else if (kept == null) {
        kept = new ByteArrayOutputStream(bytes.length);
        kept.write(bytes, 0, at);
      }
      at = (int) next;
      hasData |= type.equals("IDAT");
      if (type.equals("IEND")) {
        if (!hasData) {
          throw new MalformedException("broken PNG: no image data");
        }
        byte[] sound = kept == null ? bytes : kept.toByteArray();
        return new EncodedImage(Format.PNG, (int) width, (int) height, false, sound);
      }
    }
  }

  private static String printable(String type) {
    return type.chars().allMatch(c -> c > ' ' && c < 127) ? type : "of unknown type";
  }

  private static EncodedImage bmp(byte[] bytes) throws MalformedException {
    if (bytes.length < 30) {
      throw new MalformedException("truncated BMP: " + bytes.length + " bytes, no header");
    }
    long header = le32(bytes, 14);
    boolean old = header == 12;
    int width = old ? le16(bytes, 18) : (int) le32(bytes, 18);
    int height = old ? le16(bytes, 20) : (int) le32(bytes, 22);
    int bits = le16(bytes, old ? 24 : 28);
    long compression = old || bytes.length < 34 ? 0 : le32(bytes, 30);
    if (width < 1 || height == 0 || height == Integer.MIN_VALUE || bits < 1 || bits > 32) {
      throw new MalformedException(
          "broken BMP: size " + width + "x" + height + ", " + bits + " bits per pixel");
    }
    if ((!old && header < 36) || header > 124 || compression > 3) {
      throw new MalformedException(
          "unsupported BMP: header of " + header + " bytes, compression " + compression);
    }
    height = Math.abs(height); // negative: rows from top to bottom
    long row = ((long) width * bits + 31) / 32 * 4;
    long expected =
        compression == 1 || compression == 2 ? le32(bytes, 2) : le32(bytes, 10) + row * height;
    if (bytes.length < expected) {
      throw new MalformedException(
          "truncated BMP: " + bytes.length + " bytes of " + expected + " expected");
    }
    return new EncodedImage(Format.BMP, width, height, false, bytes);
  }

  /**
   * {@code P5} or {@code P6}, width, height and maximum as decimal text with comments, then bytes.
   */
  private static EncodedImage pnm(byte[] bytes) throws MalformedException {
    int[] fields = new int[3];
    int at = 2;
    for (int f = 0; f < 3; f++) {
      while (at < bytes.length && (isSpace(bytes[at]) || bytes[at] == '#')) {
        if (bytes[at] == '#') {
          while (at < bytes.length && bytes[at] != '\n') {
            at++;
          }
        } else {
          at++;
        }
      }
      int digits = 0;
      while (at < bytes.length && bytes[at] >= '0' && bytes[at] <= '9' && digits++ < 8) {
        fields[f] = fields[f] * 10 + (bytes[at++] - '0');
      }
      if (digits == 0) {
        throw new MalformedException("broken PGM/PPM: no width, height and maximum in the header");
      }
    }
    int width = fields[0];
    int height = fields[1];
    if (width < 1 || height < 1 || fields[2] < 1 || fields[2] > 65535) {
      throw new MalformedException(
          "broken PGM/PPM: size " + width + "x" + height + ", maximum " + fields[2]);
    }
    long values = (long) width * height * (bytes[1] == '6' ? 3 : 1);
    long expected = at + 1 + values * (fields[2] > 255 ? 2 : 1);
    if (bytes.length < expected) {
      throw new MalformedException(
          "truncated PGM/PPM: " + bytes.length + " bytes of " + expected + " expected");
    }
    return new EncodedImage(Format.PNM, width, height, false, bytes);
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || (b >= '\t' && b <= '\r');
  }

  private static boolean startsWith(byte[] bytes, int at, int... magic) {
    if (bytes.length < at + magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if (u8(bytes, at + i) != magic[i]) {
        return false;
      }
    }
    return true;
  }

  private static int u8(byte[] bytes, int at) {
    return bytes[at] & 0xff;
  }

  private static int u16(byte[] bytes, int at) {
    return u8(bytes, at) << 8 | u8(bytes, at + 1);
  }

  private static long u32(byte[] bytes, int at) {
    return (long) u16(bytes, at) << 16 | u16(bytes, at + 2);
  }

  private static int le16(byte[] bytes, int at) {
    return u8(bytes, at) | u8(bytes, at + 1) << 8;
  }

  private static long le32(byte[] bytes, int at) {
    return le16(bytes, at) | (long) le16(bytes, at + 2) << 16;
  }
}
