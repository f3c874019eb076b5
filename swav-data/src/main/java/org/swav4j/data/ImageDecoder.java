package org.swav4j.data;

import static org.bytedeco.opencv.global.opencv_core.ROTATE_180;
import static org.bytedeco.opencv.global.opencv_core.ROTATE_90_CLOCKWISE;
import static org.bytedeco.opencv.global.opencv_core.ROTATE_90_COUNTERCLOCKWISE;
import static org.bytedeco.opencv.global.opencv_core.flip;
import static org.bytedeco.opencv.global.opencv_core.rotate;
import static org.bytedeco.opencv.global.opencv_core.setNumThreads;
import static org.bytedeco.opencv.global.opencv_core.transpose;
import static org.bytedeco.opencv.global.opencv_imgproc.COLOR_GRAY2RGB;
import static org.bytedeco.opencv.global.opencv_imgproc.COLOR_RGB2GRAY;
import static org.bytedeco.opencv.global.opencv_imgproc.INTER_AREA;
import static org.bytedeco.opencv.global.opencv_imgproc.cvtColor;
import static org.bytedeco.opencv.global.opencv_imgproc.resize;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Size;

/**
 * Decodes images: JPEG, PNG and BMP, Netpbm's PBM, PGM and PPM, WebP, TIFF and GIF. Thread-safe.
 *
 * <p>What the file declares is applied, or the file is refused: orientation (EXIF, wherever the
 * format keeps it), range, masks, transparency (laid over white: dropping the alpha channel, as
 * most loaders do, shows whatever colour an editor left under it), an ICC profile (converted to
 * sRGB) and inks. Colours come in the order red, green, blue; 16 bits become 8. Of several frames
 * or pages the first is taken. The format is told by the content, never by a name.
 *
 * <p>JPEG and PNG are decoded by OpenCV; WebP and TIFF by TwelveMonkeys ImageIO, which need only be
 * on the class path where such files are read. OpenCV's own WebP decoder is not used: its libwebp
 * is older than the fix of CVE-2023-4863.
 */
public final class ImageDecoder {
  /** Larger images are refused before anything is allocated for them: 100 million pixels. */
  public static final long MAX_PIXELS = 100_000_000;

  /** Longer contents are refused: 512 MiB. */
  public static final int MAX_BYTES = 512 << 20;

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
   *     declare what can't be applied, or would decode to more than {@link #MAX_PIXELS} pixels
   * @throws IllegalArgumentException if {@code channels} is neither 1 nor 3
   */
  public static Image decode(String description, byte[] bytes, int channels, int atLeast)
      throws UnreadableImageException {
    checkChannels(channels);
    EncodedImage encoded = null;
    try (PointerScope scope = new PointerScope()) {
      encoded = EncodedImage.parse(bytes);
      checkPixels(encoded, atLeast);
      Mat mat = encoded.decode(channels, atLeast);
      ColourProfile profile = ColourProfile.of(encoded.profile(), mat.channels(), encoded::remark);
      if (profile == null) {
        mat = withChannels(mat, channels); // before reduction: grey is less to reduce
      }
      mat = reduced(upright(mat, encoded.orientation()), atLeast);
      if (profile != null) {
        mat = withChannels(converted(mat, profile), channels);
      }
      return new Image(mat.cols(), mat.rows(), channels, bytes(mat), encoded.remark());
    } catch (EncodedImage.MalformedException e) {
      throw new UnreadableImageException(description, e.getMessage(), e);
    } catch (RuntimeException e) { // cv::Exception
      String format = encoded == null ? "image" : encoded.format().toString();
      throw new UnreadableImageException(description, "broken " + format + ": " + firstLine(e), e);
    }
  }

  /**
   * Decodes one image from a stream, which is read to its end and not closed.
   *
   * @param description which image, for messages
   * @param in the content
   * @param channels 3 for RGB, 1 for grey
   * @param atLeast shorter side in pixels that suffices; {@link Integer#MAX_VALUE} for full size
   * @throws UnreadableImageException as {@link #decode(String, byte[], int, int)} does, and for
   *     more than {@link #MAX_BYTES} bytes
   * @throws IOException if the stream can't be read
   */
  public static Image decode(String description, InputStream in, int channels, int atLeast)
      throws UnreadableImageException, IOException {
    checkChannels(channels);
    byte[] bytes = in.readNBytes(MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) {
      throw new UnreadableImageException(
          description, "more than " + (MAX_BYTES >> 20) + " MiB, which is the most that is read");
    }
    return decode(description, bytes, channels, atLeast);
  }

  /**
   * An image that was decoded elsewhere, as {@link #decode} would give it.
   *
   * <p>The samples are taken as they are, so that a grey image is not brightened as by {@link
   * BufferedImage#getRGB}. Transparency is laid over white, 16 bits become 8, and the colours of an
   * ICC colour space become sRGB. An orientation that the file had is not known here: decode the
   * file itself to have it applied.
   *
   * @param image of any type; not changed
   * @param channels 3 for RGB, 1 for grey
   * @param atLeast shorter side in pixels that suffices; {@link Integer#MAX_VALUE} for full size
   * @throws IllegalArgumentException if {@code channels} is neither 1 nor 3
   */
  public static Image of(BufferedImage image, int channels, int atLeast) {
    checkChannels(channels);
    try (PointerScope scope = new PointerScope()) {
      Mat mat = reduced(withChannels(BufferedImages.mat(image), channels), atLeast);
      return new Image(mat.cols(), mat.rows(), channels, bytes(mat));
    }
  }

  private static void checkChannels(int channels) {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(channels + " channels asked for, expected 1 or 3");
    }
  }

  private static void checkPixels(EncodedImage encoded, int atLeast)
      throws EncodedImage.MalformedException {
    if (encoded.pixelsHeld(atLeast) > MAX_PIXELS) {
      throw new EncodedImage.MalformedException(
          String.format(
              Locale.ROOT,
              "too large: %dx%d pixels, at most %d million are decoded",
              encoded.width(),
              encoded.height(),
              MAX_PIXELS / 1_000_000));
    }
  }

  private static Mat withChannels(Mat mat, int channels) {
    if (mat.channels() == channels) {
      return mat;
    }
    Mat converted = new Mat();
    cvtColor(mat, converted, channels == 3 ? COLOR_GRAY2RGB : COLOR_RGB2GRAY);
    return converted;
  }

  /** Turned so that EXIF's orientation, 1 to 8, is upright. */
  private static Mat upright(Mat mat, int orientation) {
    if (orientation == 1) {
      return mat;
    }
    Mat turned = new Mat();
    switch (orientation) {
      case 2 -> flip(mat, turned, 1);
      case 3 -> rotate(mat, turned, ROTATE_180);
      case 4 -> flip(mat, turned, 0);
      case 5 -> transpose(mat, turned);
      case 6 -> rotate(mat, turned, ROTATE_90_CLOCKWISE);
      case 7 -> {
        Mat transposed = new Mat();
        transpose(mat, transposed);
        rotate(transposed, turned, ROTATE_180);
      }
      default -> rotate(mat, turned, ROTATE_90_COUNTERCLOCKWISE);
    }
    return turned;
  }

  private static Mat reduced(Mat mat, int atLeast) {
    int factor = Math.min(mat.cols(), mat.rows()) / Math.max(1, atLeast);
    if (factor < 2) {
      return mat;
    }
    Mat reduced = new Mat();
    resize(mat, reduced, new Size(mat.cols() / factor, mat.rows() / factor), 0, 0, INTER_AREA);
    return reduced;
  }

  private static Mat converted(Mat mat, ColourProfile profile)
      throws EncodedImage.MalformedException {
    byte[] in = new byte[mat.cols() * mat.channels()];
    BytePointer from = mat.data();
    ColourProfile.Conversion conversion = profile.conversion();
    return EncodedImage.mat(
        mat.cols(),
        mat.rows(),
        3,
        (y, row) -> {
          from.position(y * mat.step()).get(in);
          conversion.toRgb(in, row);
        });
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
