package org.swav4j.data;

import static org.bytedeco.opencv.global.opencv_core.CV_8UC1;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_COLOR;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_GRAYSCALE;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_COLOR_2;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_COLOR_4;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_COLOR_8;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_2;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_4;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_8;
import static org.bytedeco.opencv.global.opencv_imgcodecs.imdecode;
import static org.bytedeco.opencv.global.opencv_imgproc.COLOR_BGR2RGB;
import static org.bytedeco.opencv.global.opencv_imgproc.cvtColor;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import javax.imageio.ImageIO;
import javax.imageio.spi.ImageReaderSpi;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * JPEG of 8 bits, grey or colour, decoded by OpenCV, and reduced meanwhile where fewer pixels
 * suffice. Four inks (CMYK, or YCCK) are decoded by the JDK: OpenCV takes all of them as inverted,
 * which holds only for files with Adobe's marker.
 */
final class JpegImage extends EncodedImage {
  private static final int INKS = 4; // components
  private static final int ADOBE = 0xee;
  private static final int YCCK = 2; // Adobe's transform

  private final byte[] bytes;
  private final Bytes in;
  private final Segments segments;

  /** What the segments before the image data say. */
  private static final class Segments {
    int precision;
    int width;
    int height;
    int components;
    int frame; // marker
    int orientation = 1;
    boolean oriented;
    byte[][] profileParts;
    int adobeTransform = -1; // without Adobe's marker
    int firstScan;

    boolean progressive() {
      return frame == 0xc2 || frame == 0xca;
    }
  }

  private JpegImage(byte[] bytes, Bytes in, Segments segments) throws MalformedException {
    super(ImageFormat.JPEG, segments.width, segments.height);
    this.bytes = bytes;
    this.in = in;
    this.segments = segments;
  }

  static JpegImage parse(byte[] bytes) throws MalformedException {
    Bytes in = new Bytes(bytes, true);
    Segments segments = segments(bytes, in);
    JpegImage image = new JpegImage(bytes, in, segments);
    image.check();
    return image;
  }

  /** Markers up to the first scan. */
  private static Segments segments(byte[] bytes, Bytes in) throws MalformedException {
    Segments found = new Segments();
    int at = 2;
    while (true) {
      while (at < bytes.length && in.u8(at) == 0xff) {
        at++; // any number of fill bytes may precede a marker
      }
      if (at + 2 >= bytes.length) {
        throw new MalformedException(
            "truncated JPEG: " + bytes.length + " bytes end before the image data");
      }
      int marker = in.u8(at++);
      boolean standalone = marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
      if (standalone) {
        continue;
      }
      int length = in.u16(at);
      if (marker == 0xd9 || length < 2) {
        throw new MalformedException("broken JPEG: no image data");
      }
      if (at + length > bytes.length) {
        throw new MalformedException(
            "truncated JPEG: " + bytes.length + " bytes end before the image data");
      }
      segment(found, marker, bytes, in, at + 2, at + length);
      at += length;
      if (marker == 0xda) {
        found.firstScan = at;
        return found;
      }
      if (at < bytes.length && in.u8(at) != 0xff) {
        throw new MalformedException("broken JPEG: no marker at byte " + at);
      }
    }
  }

  private static void segment(
      Segments found, int marker, byte[] bytes, Bytes in, int from, int to) {
    boolean frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame && to - from >= 6) {
      found.frame = marker;
      found.precision = in.u8(from);
      found.height = in.u16(from + 1);
      found.width = in.u16(from + 3);
      found.components = in.u8(from + 5);
    } else if (marker == 0xe1 && !found.oriented && in.startsWith(from, "Exif\0")) {
      found.oriented = true;
      found.orientation = Exif.orientationWithPrefix(bytes, from, to);
    } else if (marker == 0xe2 && in.startsWith(from, "ICC_PROFILE\0") && to - from > 14) {
      int part = in.u8(from + 12);
      int parts = in.u8(from + 13);
      if (found.profileParts == null) {
        found.profileParts = new byte[parts][];
      }
      if (part >= 1 && part <= found.profileParts.length) {
        found.profileParts[part - 1] = Arrays.copyOfRange(bytes, from + 14, to);
      }
    } else if (marker == ADOBE && in.startsWith(from, "Adobe") && to - from >= 12) {
      found.adobeTransform = in.u8(from + 11);
    }
  }

  private void check() throws MalformedException {
    String kind =
        switch (segments.frame) {
          case 0xc0, 0xc1, 0xc2, 0xc9, 0xca -> null;
          case 0xc3, 0xcb -> "lossless JPEG";
          default -> "hierarchical JPEG";
        };
    if (kind == null && segments.precision != 8) {
      kind = "JPEG of " + segments.precision + " bits";
    }
    int components = segments.components;
    if (kind == null && components != 1 && components != 3 && components != 4) {
      kind = "JPEG of " + components + " components";
    }
    if (kind != null) {
      throw new MalformedException(kind + " is not supported: convert it to PNG or 8-bit JPEG");
    }
  }

  /** Arithmetic coding is rare, and its data can't be followed without decoding them. */
  private boolean arithmetic() {
    return segments.frame == 0xc9 || segments.frame == 0xca;
  }

  private boolean inks() {
    return segments.components == INKS;
  }

  @Override
  int orientation() {
    return segments.orientation;
  }

  /** None for inks: they become RGB while decoded. */
  @Override
  byte[] profile() {
    return inks() ? null : embeddedProfile();
  }

  private byte[] embeddedProfile() {
    if (segments.profileParts == null) {
      return null;
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    for (byte[] part : segments.profileParts) {
      if (part == null) {
        return new byte[0]; // a part is missing
      }
      whole.writeBytes(part);
    }
    return whole.toByteArray();
  }

  /** Progressive ones hold all coefficients, even where decoded reduced. */
  @Override
  long pixelsHeld(int atLeast) {
    long reduction = segments.progressive() || inks() ? 1 : reduction(atLeast);
    return super.pixelsHeld(atLeast) / (reduction * reduction);
  }

  /** The largest of 8, 4, 2, 1 by which the decoder may divide both sides. */
  private int reduction(int atLeast) {
    int shorter = Math.min(width(), height());
    int reduction = 8;
    while (reduction > 1 && (shorter + reduction - 1) / reduction < atLeast) {
      reduction /= 2;
    }
    return reduction;
  }

  @Override
  Mat decode(int channels, int atLeast) throws MalformedException {
    byte[] sound = arithmetic() ? bytes : JpegScans.check(bytes);
    if (inks()) {
      return decodeInks(sound);
    }
    boolean grey = segments.components == 1 || (channels == 1 && profile() == null);
    int flags = flags(grey, reduction(atLeast)) | IMREAD_IGNORE_ORIENTATION;
    Mat mat = imdecode(new Mat(1, sound.length, CV_8UC1, new BytePointer(sound)), flags);
    if (mat == null || mat.empty()) {
      throw new MalformedException("broken JPEG: the decoder found no valid pixels");
    }
    if (grey) {
      return mat;
    }
    Mat rgb = new Mat();
    cvtColor(mat, rgb, COLOR_BGR2RGB);
    return rgb;
  }

  private static int flags(boolean grey, int reduction) {
    return switch (reduction) {
      case 8 -> grey ? IMREAD_REDUCED_GRAYSCALE_8 : IMREAD_REDUCED_COLOR_8;
      case 4 -> grey ? IMREAD_REDUCED_GRAYSCALE_4 : IMREAD_REDUCED_COLOR_4;
      case 2 -> grey ? IMREAD_REDUCED_GRAYSCALE_2 : IMREAD_REDUCED_COLOR_2;
      default -> grey ? IMREAD_GRAYSCALE : IMREAD_COLOR;
    };
  }

  private Mat decodeInks(byte[] sound) throws MalformedException {
    Raster raster = rawRaster(sound);
    int[] samples = new int[width() * 4];
    byte[] inks = new byte[width() * 4];
    ColourProfile profile = ColourProfile.of(embeddedProfile(), 4, this::remark);
    ColourProfile.Conversion conversion = profile == null ? null : profile.conversion();
    return mat(
        width(),
        height(),
        3,
        (y, row) -> {
          raster.getPixels(0, y, width(), 1, samples);
          inks(samples, inks);
          if (conversion != null) {
            conversion.toRgb(inks, row);
          } else {
            Inks.toRgb(inks, row);
          }
        });
  }

  /** Ink from 0 (none) to 255. With Adobe's marker the values are inverted. */
  private void inks(int[] samples, byte[] inks) {
    boolean ycck = segments.adobeTransform == YCCK;
    boolean inverted = segments.adobeTransform >= 0;
    for (int i = 0; i < samples.length; i += 4) {
      if (ycck) {
        Inks.fromYcc(samples, i);
      }
      for (int c = 0; c < 4; c++) {
        inks[i + c] = (byte) (inverted ? 255 - samples[i + c] : samples[i + c]);
      }
    }
  }

  /** The four components as coded. Segments that only describe are kept from the decoder. */
  private Raster rawRaster(byte[] sound) throws MalformedException {
    ImageReaderSpi provider =
        ImageIO.getImageReadersByFormatName("jpeg").next().getOriginatingProvider();
    Raster raster = PluginReader.readRaster(format(), withoutDescriptions(sound), provider, INKS);
    if (raster.getNumBands() != INKS) {
      throw new MalformedException("broken JPEG: " + raster.getNumBands() + " of 4 components");
    }
    return raster;
  }

  private byte[] withoutDescriptions(byte[] sound) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(sound.length);
    out.write(sound, 0, 2);
    int at = 2;
    while (at < segments.firstScan) {
      while (in.u8(at) == 0xff) {
        at++;
      }
      int marker = in.u8(at++);
      if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
        continue;
      }
      int length = in.u16(at);
      boolean describes = (marker >= 0xe0 && marker <= 0xef) || marker == 0xfe;
      if (!describes) {
        out.write(0xff);
        out.write(marker);
        out.write(sound, at, length);
      }
      at += length;
    }
    out.write(sound, at, sound.length - at);
    return out.toByteArray();
  }
}
