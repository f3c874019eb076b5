package org.swav4j.data;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Locale;
import java.util.function.Predicate;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.swav4j.data.EncodedImage.MalformedException;

/**
 * Reads by a plug-in of the JDK's ImageIO that is named, not searched for: which decoder a file
 * meets doesn't depend on what else is on the class path. A plug-in's warning is a defect of the
 * file.
 */
final class PluginReader {
  private PluginReader() {}

  /**
   * A plug-in of a library, found by name, so that the library may be missing until it is needed.
   *
   * @param name of the plug-in's class
   * @param artefact holds it, for the message where it is missing
   */
  static ImageReaderSpi provider(ImageFormat format, String name, String artefact)
      throws MalformedException {
    try {
      return (ImageReaderSpi) Class.forName(name).getConstructor().newInstance();
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new MalformedException(
          format + " needs " + artefact + " on the class path, where it is missing", e);
    }
  }

  private interface Reading<T> {
    T read(ImageReader reader) throws IOException, MalformedException;
  }

  /**
   * The first image of a file.
   *
   * @param harmless warnings that tell of no defect
   */
  static BufferedImage read(
      ImageFormat format, byte[] bytes, ImageReaderSpi provider, Predicate<String> harmless)
      throws MalformedException {
    return read(
        format,
        bytes,
        provider,
        harmless,
        reader -> {
          ImageTypeSpecifier type = reader.getRawImageType(0);
          int bits = 0;
          for (int b = 0; type != null && b < type.getNumBands(); b++) {
            bits += Math.max(8, type.getBitsPerBand(b));
          }
          checkHeap(format, reader, Math.max(1, bits / 8));
          return reader.read(0, raw(reader));
        });
  }

  /** The samples of a file's first image as they are coded, before any conversion of colours. */
  static Raster readRaster(ImageFormat format, byte[] bytes, ImageReaderSpi provider, int samples)
      throws MalformedException {
    return read(
        format,
        bytes,
        provider,
        warning -> false,
        reader -> {
          checkHeap(format, reader, samples);
          return reader.readRaster(0, null);
        });
  }

  private static <T> T read(
      ImageFormat format,
      byte[] bytes,
      ImageReaderSpi provider,
      Predicate<String> harmless,
      Reading<T> reading)
      throws MalformedException {
    ImageReader reader = null;
    try (ImageInputStream input =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      reader = provider.createReaderInstance();
      String[] warning = new String[1];
      reader.addIIOReadWarningListener(
          (source, text) -> warning[0] = harmless.test(text) ? warning[0] : text);
      reader.setInput(input, false, true);
      T image = reading.read(reader);
      if (warning[0] != null) {
        throw new MalformedException("broken " + format + ": " + oneLine(warning[0]));
      }
      return image;
    } catch (LinkageError e) { // natives that don't fit, or can't be unpacked
      throw new MalformedException(format + " can't be decoded here: " + oneLine(e), e);
    } catch (IOException | RuntimeException e) {
      throw new MalformedException("broken " + format + ": " + oneLine(e), e);
    } finally {
      if (reader != null) {
        reader.dispose();
      }
    }
  }

  /** The type that needs no conversion of colours, where the reader has one. */
  private static ImageReadParam raw(ImageReader reader) throws IOException {
    ImageReadParam param = reader.getDefaultReadParam();
    ImageTypeSpecifier type = reader.getRawImageType(0);
    for (Iterator<ImageTypeSpecifier> all = reader.getImageTypes(0); all.hasNext(); ) {
      if (all.next().equals(type)) {
        param.setDestinationType(type);
      }
    }
    return param;
  }

  /** These decoders work in the Java heap, where one image must leave room for all else. */
  private static void checkHeap(ImageFormat format, ImageReader reader, int bytesPerPixel)
      throws IOException, MalformedException {
    long needed = (long) reader.getWidth(0) * reader.getHeight(0) * bytesPerPixel;
    long heap = Runtime.getRuntime().maxMemory();
    if (needed > heap / 4) {
      throw new MalformedException(
          String.format(
              Locale.ROOT,
              "too large: its %dx%d pixels take %d MiB of a heap of %d MiB, at most a quarter is"
                  + " used for one %s: convert it to JPEG or raise -Xmx",
              reader.getWidth(0),
              reader.getHeight(0),
              needed >> 20,
              heap >> 20,
              format));
    }
  }

  private static String oneLine(Object said) {
    String text =
        said instanceof Throwable e && e.getMessage() != null ? e.getMessage() : "" + said;
    return text.lines().findFirst().orElse("");
  }
}
