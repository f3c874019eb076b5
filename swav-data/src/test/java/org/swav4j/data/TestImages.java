package org.swav4j.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/**
 * Encoded images made by the JDK, so that the decoder is checked against another implementation.
 */
final class TestImages {
  private TestImages() {}

  /** Left half one colour, right half another, as 0xAARRGGBB. */
  static BufferedImage halves(int width, int height, int type, int left, int right) {
    BufferedImage image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, x < width / 2 ? left : right);
      }
    }
    return image;
  }

  static byte[] encode(BufferedImage image, String format) {
    try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
      if (!ImageIO.write(image, format, out)) {
        throw new IllegalStateException("no writer for " + format);
      }
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] png(int width, int height, int left, int right) {
    return encode(halves(width, height, BufferedImage.TYPE_INT_RGB, left, right), "png");
  }

  static byte[] jpeg(int width, int height, int left, int right) {
    return encode(halves(width, height, BufferedImage.TYPE_INT_RGB, left, right), "jpg");
  }

  /** A PNG that claims a size and holds nothing. */
  static byte[] hugePng(int width, int height) {
    byte[] png = png(1, 1, 0, 0);
    ByteBuffer.wrap(png).putInt(16, width).putInt(20, height);
    CRC32 crc = new CRC32();
    crc.update(png, 12, 17);
    ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
    return png;
  }

  /** The same PNG with one more chunk after the header. */
  static byte[] withChunk(byte[] png, String type, byte[] data) {
    ByteBuffer out = ByteBuffer.allocate(png.length + 12 + data.length);
    out.put(png, 0, 33).putInt(data.length);
    int at = out.position();
    out.put(type.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)).put(data);
    CRC32 crc = new CRC32();
    crc.update(out.array(), at, 4 + data.length);
    out.putInt((int) crc.getValue()).put(png, 33, png.length - 33);
    return out.array();
  }

  /** The same JPEG with an EXIF segment that says how the camera was held. */
  static byte[] oriented(byte[] jpeg, int orientation) {
    byte[] exif = {
      (byte) 0xff,
      (byte) 0xe1,
      0,
      34,
      'E',
      'x',
      'i',
      'f',
      0,
      0, // APP1
      'M',
      'M',
      0,
      42,
      0,
      0,
      0,
      8,
      0,
      1, // big-endian TIFF, one entry
      1,
      0x12,
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      (byte) orientation,
      0,
      0,
      0,
      0,
      0,
      0 // tag 0x112, short
    };
    ByteBuffer out = ByteBuffer.allocate(jpeg.length + exif.length);
    return out.put(jpeg, 0, 2).put(exif).put(jpeg, 2, jpeg.length - 2).array();
  }

  static byte[] truncated(byte[] bytes, int length) {
    return Arrays.copyOf(bytes, length);
  }

  static void write(Path path, byte[] bytes) {
    try {
      Files.createDirectories(path.getParent());
      Files.write(path, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
