package org.swav4j.data;

import static org.bytedeco.opencv.global.opencv_core.CV_16U;
import static org.bytedeco.opencv.global.opencv_core.CV_8U;
import static org.bytedeco.opencv.global.opencv_core.CV_8UC1;
import static org.bytedeco.opencv.global.opencv_core.CV_8UC3;
import static org.bytedeco.opencv.global.opencv_core.setNumThreads;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_COLOR;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_GRAYSCALE;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_COLOR_2;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_COLOR_4;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_COLOR_8;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_2;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_4;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_8;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_UNCHANGED;
import static org.bytedeco.opencv.global.opencv_imgcodecs.imdecode;
import static org.bytedeco.opencv.global.opencv_imgproc.COLOR_BGR2GRAY;
import static org.bytedeco.opencv.global.opencv_imgproc.COLOR_BGR2RGB;
import static org.bytedeco.opencv.global.opencv_imgproc.COLOR_GRAY2RGB;
import static org.bytedeco.opencv.global.opencv_imgproc.INTER_AREA;
import static org.bytedeco.opencv.global.opencv_imgproc.cvtColor;
import static org.bytedeco.opencv.global.opencv_imgproc.resize;

import java.util.Locale;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Size;

/**
 * Decodes JPEG, PNG, BMP and binary PGM/PPM with OpenCV. Thread-safe.
 *
 * <p>Colours come in the order red, green, blue. Transparent pixels are laid over white: dropping
 * the alpha channel, as most loaders do, shows whatever colour an editor left under the
 * transparency. 16 bits become 8. The EXIF orientation of a JPEG is applied. WebP is refused on
 * purpose: the libwebp in this OpenCV is older than the fix of CVE-2023-4863.
 */
public final class ImageDecoder {
  /** Larger images are refused before anything is allocated for them: 100 million pixels. */
  public static final long MAX_PIXELS = 100_000_000;

  static {
    // Loaders bring their own threads; OpenCV's pool on top of them only gets in the way.
    setNumThreads(1);
  }

  private ImageDecoder() {}

  /**
   * Decodes one image.
   *
   * <p>Where the image has more pixels than needed it is reduced by a whole factor: JPEG while
   * decoding, which is also several times faster, others by averaging.
   *
   * @param description which image, for the message of the exception
   * @param bytes the content of the file
   * @param channels 3 for RGB (grey is repeated), 1 for grey (colour becomes luma, Rec. 601)
   * @param atLeast shorter side in pixels that suffices; {@link Integer#MAX_VALUE} for full size
   * @return an image whose shorter side is at least {@code atLeast}, or its own if it has less
   * @throws UnreadableImageException if the bytes are empty, truncated, broken, of another format,
   *     or would decode to more than {@link #MAX_PIXELS} pixels
   */
  public static Image decode(String description, byte[] bytes, int channels, int atLeast)
      throws UnreadableImageException {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(channels + " channels asked for, expected 1 or 3");
    }
    EncodedImage encoded;
    try {
      encoded = EncodedImage.parse(bytes);
    } catch (EncodedImage.MalformedException e) {
      throw new UnreadableImageException(description, e.getMessage(), e);
    }
    int reduction = encoded.format() == EncodedImage.Format.JPEG ? reduction(encoded, atLeast) : 1;
    checkPixels(description, encoded, reduction);
    try (PointerScope scope = new PointerScope()) {
      Mat mat =
          imdecode(
              new Mat(1, encoded.bytes().length, CV_8UC1, new BytePointer(encoded.bytes())),
              flags(encoded.format(), channels, reduction));
      if (mat == null || mat.empty()) {
        throw new UnreadableImageException(
            description, "broken " + encoded.format() + ": the decoder found no valid pixels");
      }
      return image(flattened(mat, channels), channels, atLeast);
    } catch (RuntimeException e) { // cv::Exception
      throw new UnreadableImageException(
          description, "broken " + encoded.format() + ": " + firstLine(e), e);
    }
  }

  /** The largest of 8, 4, 2, 1 by which the decoder may divide both sides. */
  private static int reduction(EncodedImage encoded, int atLeast) {
    int shorter = Math.min(encoded.width(), encoded.height());
    int reduction = 8;
    while (reduction > 1 && (shorter + reduction - 1) / reduction < atLeast) {
      reduction /= 2;
    }
    return reduction;
  }

  private static void checkPixels(String description, EncodedImage encoded, int reduction)
      throws UnreadableImageException {
    long held = encoded.progressive() ? 1 : (long) reduction * reduction;
    long pixels = (long) encoded.width() * encoded.height() / held;
    if (pixels > MAX_PIXELS) {
      throw new UnreadableImageException(
          description,
          String.format(
              Locale.ROOT,
              "too large: %dx%d pixels, at most %d million are decoded",
              encoded.width(),
              encoded.height(),
              MAX_PIXELS / 1_000_000));
    }
  }

  private static int flags(EncodedImage.Format format, int channels, int reduction) {
    return switch (format) {
      case PNG, PNM -> IMREAD_UNCHANGED; // keeps alpha and 16 bits
      case BMP -> IMREAD_COLOR; // the fourth byte of a pixel is undefined in most writers
      case JPEG ->
          switch (reduction) {
            case 8 -> channels == 3 ? IMREAD_REDUCED_COLOR_8 : IMREAD_REDUCED_GRAYSCALE_8;
            case 4 -> channels == 3 ? IMREAD_REDUCED_COLOR_4 : IMREAD_REDUCED_GRAYSCALE_4;
            case 2 -> channels == 3 ? IMREAD_REDUCED_COLOR_2 : IMREAD_REDUCED_GRAYSCALE_2;
            default -> channels == 3 ? IMREAD_COLOR : IMREAD_GRAYSCALE;
          };
    };
  }

  /** OpenCV's grey, BGR or BGRA of 8 or 16 bits as grey or RGB of 8 bits. */
  private static Mat flattened(Mat mat, int channels) {
    Mat flat = mat;
    if (flat.depth() == CV_16U) {
      Mat bytes = new Mat();
      flat.convertTo(bytes, CV_8U, 1 / 257.0, 0);
      flat = bytes;
    }
    if (flat.channels() == 4) {
      flat = overWhite(flat);
    }
    if (flat.channels() == 1 && channels == 1) {
      return flat;
    }
    Mat converted = new Mat();
    int conversion =
        flat.channels() == 1 ? COLOR_GRAY2RGB : channels == 1 ? COLOR_BGR2GRAY : COLOR_BGR2RGB;
    cvtColor(flat, converted, conversion);
    return converted;
  }

  private static Mat overWhite(Mat bgra) {
    Mat bgr = new Mat(bgra.rows(), bgra.cols(), CV_8UC3);
    byte[] in = new byte[bgra.cols() * 4];
    byte[] out = new byte[bgra.cols() * 3];
    BytePointer from = bgra.data();
    BytePointer to = bgr.data();
    // Row by row: an image at the limit would take more of the heap than many have.
    for (int row = 0; row < bgra.rows(); row++) {
      from.position(row * bgra.step()).get(in);
      for (int i = 0, o = 0; i < in.length; i += 4, o += 3) {
        int alpha = in[i + 3] & 0xff;
        int white = 255 * (255 - alpha) + 127;
        out[o] = (byte) (((in[i] & 0xff) * alpha + white) / 255);
        out[o + 1] = (byte) (((in[i + 1] & 0xff) * alpha + white) / 255);
        out[o + 2] = (byte) (((in[i + 2] & 0xff) * alpha + white) / 255);
      }
      to.position(row * bgr.step()).put(out);
    }
    return bgr;
  }

  private static Image image(Mat mat, int channels, int atLeast) {
    int factor = Math.min(mat.cols(), mat.rows()) / Math.max(1, atLeast);
    Mat sized = mat;
    if (factor >= 2) {
      sized = new Mat();
      Size size = new Size(mat.cols() / factor, mat.rows() / factor);
      resize(mat, sized, size, 0, 0, INTER_AREA);
    }
    return new Image(sized.cols(), sized.rows(), channels, bytes(sized));
  }

  private static byte[] bytes(Mat mat) {
    Mat whole = mat.isContinuous() ? mat : mat.clone();
    byte[] bytes = new byte[Math.toIntExact(whole.total() * whole.elemSize())];
    whole.data().get(bytes);
    return bytes;
  }

  private static String firstLine(RuntimeException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }
}
