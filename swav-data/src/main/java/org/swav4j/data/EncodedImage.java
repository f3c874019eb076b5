package org.swav4j.data;

import static org.bytedeco.opencv.global.opencv_core.CV_8UC;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * What can be known of an encoded image before a pixel is decoded, and the way to its pixels.
 *
 * <p>Decoders hand out the decoded part of a truncated image as if it were whole, allocate whatever
 * a header asks for, and print their complaints on standard error. So the container is checked
 * first, here and in one class for each format, and only sound ones reach a decoder.
 */
abstract class EncodedImage {
  /** Why bytes are not an image that can be decoded; the message is the reason alone. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String reason) {
      super(reason);
    }

    MalformedException(String reason, Throwable cause) {
      super(reason, cause);
    }
  }

  /**
   * Writes one row of interleaved pixels.
   *
   * @param <X> thrown where the file turns out to be malformed
   */
  interface RowWriter<X extends Exception> {
    void write(int y, byte[] row) throws X;
  }

  private final ImageFormat format;
  private final int width;
  private final int height;
  private ImageRemark remark;

  EncodedImage(ImageFormat format, long width, long height) throws MalformedException {
    if (width < 1 || height < 1 || width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
      throw new MalformedException("broken " + format + ": size " + width + "x" + height);
    }
    this.format = format;
    this.width = (int) width;
    this.height = (int) height;
  }

  /** Recognises the format, reads the header and checks that all of the image is there. */
  static EncodedImage parse(byte[] bytes) throws MalformedException {
    if (bytes.length == 0) {
      throw new MalformedException("empty file");
    }
    ImageFormat format = ImageFormat.of(bytes).orElse(null);
    if (format == null) {
      throw new MalformedException(noImage(bytes));
    }
    return switch (format) {
      case JPEG -> JpegImage.parse(bytes);
      case PNG -> PngImage.parse(bytes);
      case BMP -> BmpImage.parse(bytes);
      case PNM -> PnmImage.parse(bytes);
      case WEBP -> WebpImage.parse(bytes);
      case TIFF -> TiffImage.parse(bytes);
      case GIF -> GifImage.parse(bytes);
      case HEIC, AVIF ->
          throw new MalformedException(
              format
                  + " is not read: convert it to JPEG, for example with heif-convert or"
                  + " ImageMagick");
    };
  }

  private static String noImage(byte[] bytes) {
    Bytes content = new Bytes(bytes, false);
    if (content.startsWith(0, 0x1f, 0x8b)) {
      return "not an image but a gzip archive: unpack it";
    }
    StringBuilder start = new StringBuilder();
    for (int i = 0; i < Math.min(bytes.length, 12); i++) {
      start.append(bytes[i] >= ' ' && bytes[i] < 127 ? (char) bytes[i] : '.');
    }
    return "not an image, it starts with \""
        + start
        + "\"; JPEG, PNG, BMP, PBM/PGM/PPM, WebP, TIFF and GIF are read";
  }

  /**
   * The pixels as the file orders them, before orientation and colour profile.
   *
   * @param channels that will be wanted, 1 or 3; a hint
   * @param atLeast shorter side that suffices; a hint
   * @return 8 bits per value, 1 channel (grey) or 3 (red, green, blue), nothing transparent
   */
  abstract Mat decode(int channels, int atLeast) throws MalformedException;

  /** How many pixels are held at once by {@link #decode}. */
  long pixelsHeld(int atLeast) {
    return (long) width * height;
  }

  /** EXIF's orientation, 1 (upright) to 8. */
  int orientation() {
    return 1;
  }

  /** The embedded ICC profile still to be applied to the decoded pixels, or null. */
  byte[] profile() {
    return null;
  }

  final ImageFormat format() {
    return format;
  }

  final int width() {
    return width;
  }

  final int height() {
    return height;
  }

  /** What users should hear of this image, or null; known once it is decoded. */
  final ImageRemark remark() {
    return remark;
  }

  final void remark(ImageRemark said) {
    if (remark == null) {
      remark = said;
    }
  }

  /**
   * Notes that values of more than 8 bits leave most of their range unused: 12 bits kept in 16, as
   * scanners and cameras do, come out as a nearly black image.
   *
   * @param largest of all values
   * @param maximum that the format allows
   */
  final void remarkRange(int largest, int maximum) {
    if (maximum > 255 && largest > 0 && largest < (maximum + 1) / 4) {
      remark(ImageRemark.lowRange(largest, maximum));
    }
  }

  /** An image filled row by row, so that no second copy of it is held in the Java heap. */
  static <X extends Exception> Mat mat(int width, int height, int channels, RowWriter<X> rows)
      throws X {
    Mat mat = new Mat(height, width, CV_8UC(channels));
    byte[] row = new byte[width * channels];
    BytePointer data = mat.data();
    for (int y = 0; y < height; y++) {
      rows.write(y, row);
      data.position(y * mat.step()).put(row);
    }
    data.position(0);
    return mat;
  }

  /** A value laid over white, both from 0 to 255. */
  static byte overWhite(int value, int alpha) {
    return (byte) ((value * alpha + 255 * (255 - alpha) + 127) / 255);
  }
}
