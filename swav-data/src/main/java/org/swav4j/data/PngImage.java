package org.swav4j.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.bytedeco.opencv.global.opencv_core.CV_16U;
import static org.bytedeco.opencv.global.opencv_core.CV_8U;
import static org.bytedeco.opencv.global.opencv_core.CV_8UC1;
import static org.bytedeco.opencv.global.opencv_core.NORM_INF;
import static org.bytedeco.opencv.global.opencv_core.extractChannel;
import static org.bytedeco.opencv.global.opencv_core.inRange;
import static org.bytedeco.opencv.global.opencv_core.norm;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_UNCHANGED;
import static org.bytedeco.opencv.global.opencv_imgcodecs.imdecode;
import static org.bytedeco.opencv.global.opencv_imgproc.COLOR_BGR2RGB;
import static org.bytedeco.opencv.global.opencv_imgproc.cvtColor;

import java.io.ByteArrayOutputStream;
import java.util.Locale;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Scalar;

/**
 * PNG, decoded by OpenCV. Of an animation the default image is read.
 *
 * <p>A transparent colour of a grey image is handled here, since OpenCV drops it. An ICC profile
 * and EXIF's orientation are applied. {@code gAMA} and {@code cHRM} are not, as in most libraries
 * that read images for learning: many writers set them wrongly. A gamma other than sRGB's is
 * remarked. {@code cICP} that names other colours than sRGB's, as HDR screenshots do, is refused.
 */
final class PngImage extends EncodedImage {
  private static final Set<String> PASSED_ON = Set.of("IHDR", "PLTE", "tRNS", "IDAT", "IEND");
  private static final Set<String> READ = Set.of("iCCP", "eXIf", "gAMA", "sRGB", "cICP");
  private static final int PALETTE = 3;
  private static final int SRGB_GAMMA = 45455; // of 100,000: 1/2.2

  private final byte[] original;
  private final Bytes in;
  private byte[] passedOn;
  private int orientation = 1;
  private byte[] profile;
  private boolean srgb;
  private long gamma;
  private int transparentGrey = -1;

  private PngImage(byte[] bytes, Bytes in) throws MalformedException {
    super(ImageFormat.PNG, in.u32(16), in.u32(20));
    this.original = bytes;
    this.in = in;
  }

  static PngImage parse(byte[] bytes) throws MalformedException {
    Bytes in = new Bytes(bytes, true);
    if (bytes.length < 33 || !in.startsWith(12, "IHDR")) {
      throw new MalformedException("truncated PNG: " + bytes.length + " bytes, no header");
    }
    PngImage image = new PngImage(bytes, in);
    image.chunks();
    return image;
  }

  private int bits() {
    return in.u8(24);
  }

  private int colourType() {
    return in.u8(25);
  }

  private boolean grey() {
    return colourType() == 0;
  }

  /** Walks the chunks, checks those that matter and passes on only what the pixels need. */
  private void chunks() throws MalformedException {
    CRC32 crc = new CRC32();
    ByteArrayOutputStream kept = null;
    boolean hasData = false;
    int at = 8;
    while (true) {
      if (at + 12 > original.length) {
        throw new MalformedException(
            "truncated PNG: " + original.length + " bytes, the end chunk is missing");
      }
      long length = in.u32(at);
      String type = new String(original, at + 4, 4, ISO_8859_1);
      long next = at + 12 + length;
      if (next > original.length) {
        throw new MalformedException(
            String.format(
                Locale.ROOT,
                "truncated PNG: chunk %s ends at byte %d, the file at %d",
                printable(type),
                next,
                original.length));
      }
      boolean needed = PASSED_ON.contains(type);
      if (needed || READ.contains(type)) {
        crc.reset();
        crc.update(original, at + 4, 4 + (int) length);
        boolean sound = crc.getValue() == in.u32(at + 8 + length);
        if (needed && !sound) {
          throw new MalformedException("broken PNG: wrong checksum in chunk " + type);
        }
        if (sound) {
          chunk(type, at + 8, (int) length);
        }
      } else if (Character.isUpperCase(type.charAt(0))) {
        throw new MalformedException("broken PNG: unknown chunk " + printable(type));
      }
      // Grey transparency is dealt with here: the decoder would drop it, and may complain.
      boolean passOn = needed && !(type.equals("tRNS") && grey());
      if (!passOn && kept == null) {
        kept = new ByteArrayOutputStream(original.length);
        kept.write(original, 0, at);
      } else if (passOn && kept != null) {
        kept.write(original, at, 12 + (int) length);
      }
      at = (int) next;
      hasData |= type.equals("IDAT");
      if (type.equals("IEND")) {
        if (!hasData) {
          throw new MalformedException("broken PNG: no image data");
        }
        passedOn = kept == null ? original : kept.toByteArray();
        return;
      }
    }
  }

  private void chunk(String type, int at, int length) throws MalformedException {
    switch (type) {
      case "tRNS" -> transparentGrey = grey() && length == 2 ? in.u16(at) : transparentGrey;
      case "eXIf" -> orientation = Exif.orientationWithPrefix(original, at, at + length);
      case "iCCP" -> profile = profile(at, length);
      case "sRGB" -> srgb = true;
      case "gAMA" -> gamma = in.u32(at);
      case "cICP" -> {
        int primaries = in.u8(at);
        int transfer = in.u8(at + 1);
        // ITU-T H.273: 1 is BT.709's primaries, which are sRGB's, and 13 sRGB's curve
        if (primaries != 1 || transfer != 13) {
          throw new MalformedException(
              "PNG of other colours than sRGB: cICP with primaries "
                  + primaries
                  + " and transfer "
                  + transfer
                  + " (HDR or wide gamut): convert it to sRGB");
        }
        srgb = true;
      }
      default -> {
        // the pixels' own chunks
      }
    }
  }

  /** A name, a null, the method of compression, and the compressed profile. */
  private byte[] profile(int at, int length) {
    int name = 0;
    while (name < Math.min(80, length) && original[at + name] != 0) {
      name++;
    }
    int from = at + name + 2;
    if (from >= at + length) {
      return new byte[0];
    }
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(original, from, at + length - from);
      byte[] buffer = new byte[8192];
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      while (!inflater.finished() && out.size() <= ColourProfile.MAX_BYTES) {
        int count = inflater.inflate(buffer);
        if (count == 0) {
          return new byte[0];
        }
        out.write(buffer, 0, count);
      }
      return out.toByteArray();
    } catch (DataFormatException e) {
      return new byte[0];
    } finally {
      inflater.end();
    }
  }

  private static String printable(String type) {
    return type.chars().allMatch(c -> c > ' ' && c < 127) ? type : "of unknown type";
  }

  @Override
  int orientation() {
    return orientation;
  }

  @Override
  byte[] profile() {
    return profile != null && !srgb ? profile : null;
  }

  @Override
  Mat decode(int channels, int atLeast) throws MalformedException {
    remarkGamma();
    Mat mat =
        imdecode(new Mat(1, passedOn.length, CV_8UC1, new BytePointer(passedOn)), IMREAD_UNCHANGED);
    if (mat == null || mat.empty()) {
      throw new MalformedException("broken PNG: the decoder found no valid pixels");
    }
    if (transparentGrey >= 0) {
      showWhite(mat);
    }
    if (mat.depth() == CV_16U) {
      remarkRange(largest(mat), 65535);
      Mat bytes = new Mat();
      mat.convertTo(bytes, CV_8U, 1 / 257.0, 0);
      mat = bytes;
    }
    if (mat.channels() == 1) {
      return mat;
    }
    if (mat.channels() == 4) {
      return overWhite(mat);
    }
    Mat rgb = new Mat();
    cvtColor(mat, rgb, COLOR_BGR2RGB);
    return rgb;
  }

  private void remarkGamma() {
    boolean other = Math.abs(gamma - SRGB_GAMMA) > SRGB_GAMMA / 20;
    if (gamma != 0 && other && !srgb && profile == null && colourType() != PALETTE) {
      remark(
          new ImageRemark(
              ImageRemark.Kind.GAMMA,
              String.format(Locale.ROOT, "gAMA %.5g, sRGB's is 0.45455", gamma / 1e5)));
    }
  }

  /** Lays the one transparent grey over white. Its value is given in the file's own bits. */
  private void showWhite(Mat grey) {
    int bits = bits();
    int key = transparentGrey & (1 << bits) - 1;
    int value = bits < 8 ? key * 255 / ((1 << bits) - 1) : key;
    Scalar shown = Scalar.all(value);
    Mat mask = new Mat();
    inRange(grey, new Mat(shown), new Mat(shown), mask);
    grey.setTo(new Mat(Scalar.all(bits == 16 ? 65535 : 255)), mask);
  }

  private static int largest(Mat mat) {
    if (mat.channels() == 1) {
      return (int) norm(mat, NORM_INF, new Mat());
    }
    int largest = 0;
    Mat colour = new Mat();
    for (int c = 0; c < 3; c++) {
      extractChannel(mat, colour, c);
      largest = Math.max(largest, (int) norm(colour, NORM_INF, new Mat()));
    }
    return largest;
  }

  private static Mat overWhite(Mat bgra) throws MalformedException {
    byte[] in = new byte[bgra.cols() * 4];
    BytePointer from = bgra.data();
    return mat(
        bgra.cols(),
        bgra.rows(),
        3,
        (y, row) -> {
          from.position(y * bgra.step()).get(in);
          for (int i = 0, o = 0; i < in.length; i += 4, o += 3) {
            int alpha = in[i + 3] & 0xff;
            row[o] = overWhite(in[i + 2] & 0xff, alpha);
            row[o + 1] = overWhite(in[i + 1] & 0xff, alpha);
            row[o + 2] = overWhite(in[i] & 0xff, alpha);
          }
        });
  }
}
