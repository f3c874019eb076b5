package org.swav4j.data;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import javax.imageio.ImageIO;
import javax.imageio.spi.ImageReaderSpi;
import org.bytedeco.opencv.opencv_core.Mat;

/** GIF: the first frame on its canvas, transparent pixels and what it leaves free being white. */
final class GifImage extends EncodedImage {
  private final byte[] bytes;
  private final Bytes in;
  private final int frame; // where the frame's descriptor starts

  private GifImage(byte[] bytes, Bytes in, int frame) throws MalformedException {
    super(
        ImageFormat.GIF,
        Math.max(in.u16(6), right(in, frame)),
        Math.max(in.u16(8), bottom(in, frame)));
    this.bytes = bytes;
    this.in = in;
    this.frame = frame;
  }

  private static int right(Bytes in, int frame) {
    return in.u16(frame + 1) + in.u16(frame + 5);
  }

  private static int bottom(Bytes in, int frame) {
    return in.u16(frame + 3) + in.u16(frame + 7);
  }

  /** Blocks up to the first frame. */
  static GifImage parse(byte[] bytes) throws MalformedException {
    Bytes in = new Bytes(bytes, false);
    int at = 13 + table(in.u8(10));
    while (at < bytes.length) {
      switch (in.u8(at)) {
        case 0x21 -> at = blocks(bytes, in, at + 2, null);
        case 0x2c -> {
          return new GifImage(bytes, in, at);
        }
        default -> throw new MalformedException("broken GIF: it holds no image");
      }
    }
    throw new MalformedException(truncated(bytes));
  }

  private static String truncated(byte[] bytes) {
    return "truncated GIF: " + bytes.length + " bytes end before the first frame does";
  }

  /** Bytes of a colour table, told by the flags before it. */
  private static int table(int flags) {
    return (flags & 0x80) == 0 ? 0 : 3 << (flags & 7) + 1;
  }

  /** The end of a list of sub-blocks; what they hold goes to {@code out} if it is not null. */
  private static int blocks(byte[] bytes, Bytes in, int from, ByteArrayOutputStream out)
      throws MalformedException {
    int at = from;
    while (at < bytes.length) {
      int length = in.u8(at++);
      if (length == 0) {
        return at;
      }
      if (at + length > bytes.length) {
        break;
      }
      if (out != null) {
        out.write(bytes, at, length);
      }
      at += length;
    }
    throw new MalformedException(truncated(bytes));
  }

  @Override
  Mat decode(int channels, int atLeast) throws MalformedException {
    int frameWidth = in.u16(frame + 5);
    int frameHeight = in.u16(frame + 7);
    checkPixels((long) frameWidth * frameHeight);
    ImageReaderSpi provider =
        ImageIO.getImageReadersByFormatName("gif").next().getOriginatingProvider();
    BufferedImage image = PluginReader.read(format(), bytes, provider, text -> false);
    if (image.getWidth() != frameWidth
        || image.getHeight() != frameHeight
        || !(image.getColorModel() instanceof IndexColorModel palette)) {
      throw new MalformedException("broken GIF: the decoder found no frame of its size");
    }
    Raster raster = image.getRaster();
    int left = in.u16(frame + 1);
    int top = in.u16(frame + 3);
    int[] indices = new int[frameWidth];
    return mat(
        width(),
        height(),
        3,
        (y, row) -> {
          Arrays.fill(row, (byte) 255);
          if (y < top || y >= top + frameHeight) {
            return;
          }
          raster.getPixels(0, y - top, frameWidth, 1, indices);
          for (int x = 0; x < frameWidth; x++) {
            int colour = palette.getRGB(indices[x]);
            for (int c = 0; c < 3; c++) {
              row[3 * (left + x) + c] = overWhite(colour >> (16 - 8 * c) & 0xff, colour >>> 24);
            }
          }
        });
  }

  /**
   * Follows the codes (LZW, GIF89a's appendix F) by the lengths of their strings alone: the decoder
   * would leave what is missing as it was.
   */
  private void checkPixels(long expected) throws MalformedException {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    int start = frame + 10 + table(in.u8(frame + 9));
    blocks(bytes, in, start + 1, data);
    int first = in.u8(start);
    if (first < 1 || first > 11) {
      throw new MalformedException("broken GIF: codes of " + first + " bits");
    }
    int clear = 1 << first;
    int[] length = new int[4096];
    Arrays.fill(length, 0, clear, 1);
    int next = clear + 2;
    int size = first + 1;
    int before = 0; // length of the string before, 0 after a clear
    long pixels = 0;
    int held = 0;
    int bits = 0;
    for (byte b : data.toByteArray()) {
      held |= (b & 0xff) << bits;
      bits += 8;
      if (bits < size) {
        continue;
      }
      while (bits >= size) {
        int code = held & (1 << size) - 1;
        held >>>= size;
        bits -= size;
        if (code == clear) {
          next = clear + 2;
          size = first + 1;
          before = 0;
        } else if (code == clear + 1) {
          bits = Integer.MIN_VALUE; // the end
        } else {
          if (code > next || code == next && before == 0) {
            throw new MalformedException("broken GIF: an unknown code after " + pixels + " pixels");
          }
          if (before > 0 && next < 4096) {
            length[next++] = before + 1;
            size = next == 1 << size && size < 12 ? size + 1 : size;
          }
          before = length[code];
          pixels += before;
        }
      }
      if (bits < 0) {
        break;
      }
    }
    if (pixels < expected) {
      throw new MalformedException(
          "truncated GIF: data for " + pixels + " of " + expected + " pixels");
    }
  }
}
