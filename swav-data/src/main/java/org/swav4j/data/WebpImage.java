package org.swav4j.data;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.spi.ImageReaderSpi;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * WebP, lossy or lossless, decoded by libwebp. Of an animation the first frame is read, on a
 * transparent canvas. The decoder sees the pixels' chunks only: profile and orientation are applied
 * as those of other formats.
 */
final class WebpImage extends EncodedImage {
  private static final int EXTENDED = 10; // bytes of VP8X

  private final byte[] bytes;
  private final Chunks chunks;

  /** Where the parts of the file are. */
  private static final class Chunks {
    int width;
    int height;
    int frameX;
    int frameY;
    int frameWidth;
    int frameHeight;
    int alphaFrom;
    int alphaTo; // with its chunk header
    int pixelsFrom;
    int pixelsTo;
    boolean lossless;
    byte[] profile;
    int orientation = 1;
  }

  private WebpImage(byte[] bytes, Chunks chunks) throws MalformedException {
    super(ImageFormat.WEBP, chunks.width, chunks.height);
    this.bytes = bytes;
    this.chunks = chunks;
  }

  static WebpImage parse(byte[] bytes) throws MalformedException {
    Bytes in = new Bytes(bytes, false);
    long end = 8 + in.u32(4);
    if (end > bytes.length) {
      throw new MalformedException(
          "truncated WebP: " + bytes.length + " bytes of " + end + " declared");
    }
    Chunks chunks = new Chunks();
    walk(bytes, in, chunks, 12, (int) end, false);
    if (chunks.pixelsTo == 0) {
      throw new MalformedException("broken WebP: no image data");
    }
    pixelSize(in, chunks);
    return new WebpImage(bytes, chunks);
  }

  private static void walk(
      byte[] bytes, Bytes in, Chunks chunks, int from, int end, boolean inFrame)
      throws MalformedException {
    long at = from;
    while (at + 8 <= end) {
      String type = new String(bytes, (int) at, 4, StandardCharsets.ISO_8859_1);
      long start = at + 8;
      long to = start + in.u32(at + 4);
      if (to > end) {
        throw new MalformedException(
            "truncated WebP: chunk "
                + type.trim()
                + " ends at byte "
                + to
                + ", the file at "
                + end);
      }
      chunk(bytes, in, chunks, type, (int) start, (int) to, inFrame);
      at = to + (to & 1);
    }
  }

  private static void chunk(
      byte[] bytes, Bytes in, Chunks chunks, String type, int from, int to, boolean inFrame)
      throws MalformedException {
    switch (type) {
      case "VP8X" -> {
        chunks.width = in.u24(from + 4) + 1;
        chunks.height = in.u24(from + 7) + 1;
      }
      case "ANMF" -> {
        if (!inFrame && chunks.pixelsTo == 0) {
          chunks.frameX = 2 * in.u24(from);
          chunks.frameY = 2 * in.u24(from + 3);
          walk(bytes, in, chunks, from + 16, to, true);
        }
      }
      case "ALPH" -> {
        if (chunks.pixelsTo == 0) {
          chunks.alphaFrom = from - 8;
          chunks.alphaTo = to;
        }
      }
      case "VP8 ", "VP8L" -> {
        if (chunks.pixelsTo == 0) {
          chunks.lossless = type.equals("VP8L");
          chunks.pixelsFrom = from - 8;
          chunks.pixelsTo = to;
        }
      }
      case "ICCP" -> chunks.profile = Arrays.copyOfRange(bytes, from, to);
      case "EXIF" -> chunks.orientation = Exif.orientationWithPrefix(bytes, from, to);
      default -> {
        // XMP, the animation's header and what others may add
      }
    }
  }

  /** The size that the pixels' own header gives; the canvas has it too where none was declared. */
  private static void pixelSize(Bytes in, Chunks chunks) throws MalformedException {
    int at = chunks.pixelsFrom + 8;
    if (chunks.lossless) {
      long header = in.u32(at + 1);
      chunks.frameWidth = 1 + (int) (header & 0x3fff);
      chunks.frameHeight = 1 + (int) (header >> 14 & 0x3fff);
    } else {
      chunks.frameWidth = in.u16(at + 6) & 0x3fff;
      chunks.frameHeight = in.u16(at + 8) & 0x3fff;
    }
    if (chunks.width == 0) {
      chunks.width = chunks.frameWidth;
      chunks.height = chunks.frameHeight;
    }
    if (chunks.frameX + chunks.frameWidth > chunks.width
        || chunks.frameY + chunks.frameHeight > chunks.height) {
      throw new MalformedException(
          "broken WebP: a frame of "
              + chunks.frameWidth
              + "x"
              + chunks.frameHeight
              + " on a canvas of "
              + chunks.width
              + "x"
              + chunks.height);
    }
  }

  @Override
  int orientation() {
    return chunks.orientation;
  }

  @Override
  byte[] profile() {
    return chunks.profile;
  }

  @Override
  Mat decode(int channels, int atLeast) throws MalformedException {
    ImageReaderSpi provider =
        PluginReader.provider(
            format(),
            "com.luciad.imageio.webp.WebPImageReaderSpi",
            "com.github.usefulness:webp-imageio");
    BufferedImage image = PluginReader.read(format(), pixelsAlone(), provider, text -> false);
    if (image.getWidth() != chunks.frameWidth || image.getHeight() != chunks.frameHeight) {
      throw new MalformedException("broken WebP: its headers give two sizes");
    }
    if (image.getWidth() == width() && image.getHeight() == height()) {
      return BufferedImages.mat(image);
    }
    return onCanvas(image);
  }

  /** A file of the first image's data alone, as they are for a still image. */
  private byte[] pixelsAlone() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length + 32);
    out.writeBytes("RIFF    WEBP".getBytes(StandardCharsets.ISO_8859_1));
    boolean separateAlpha = !chunks.lossless && chunks.alphaTo > 0;
    if (separateAlpha) {
      ByteBuffer header = ByteBuffer.allocate(8 + EXTENDED).order(ByteOrder.LITTLE_ENDIAN);
      header.put("VP8X".getBytes(StandardCharsets.ISO_8859_1)).putInt(EXTENDED).putInt(0x10);
      header.putShort((short) (chunks.frameWidth - 1)).put((byte) 0); // at most 14 bits
      header.putShort((short) (chunks.frameHeight - 1)).put((byte) 0);
      out.writeBytes(header.array());
      chunk(out, chunks.alphaFrom, chunks.alphaTo);
    }
    chunk(out, chunks.pixelsFrom, chunks.pixelsTo);
    byte[] file = out.toByteArray();
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(4, file.length - 8);
    return file;
  }

  private void chunk(ByteArrayOutputStream out, int from, int to) {
    out.write(bytes, from, to - from);
    if ((to - from) % 2 != 0) {
      out.write(0);
    }
  }

  private Mat onCanvas(BufferedImage frame) throws MalformedException {
    Raster raster = frame.getRaster();
    int bands = raster.getNumBands();
    int[] samples = new int[raster.getWidth() * bands];
    return mat(
        width(),
        height(),
        3,
        (y, row) -> {
          Arrays.fill(row, (byte) 255);
          int line = y - chunks.frameY;
          if (line < 0 || line >= raster.getHeight()) {
            return;
          }
          raster.getPixels(0, line, raster.getWidth(), 1, samples);
          for (int x = 0; x < raster.getWidth(); x++) {
            int alpha = bands == 4 ? samples[x * bands + 3] : 255;
            for (int c = 0; c < 3; c++) {
              row[3 * (chunks.frameX + x) + c] = overWhite(samples[x * bands + c], alpha);
            }
          }
        });
  }
}
