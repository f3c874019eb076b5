package org.swav4j.data;

import static org.bytedeco.opencv.global.opencv_core.CV_8UC;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DirectColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * AWT's images by their samples. {@link BufferedImage#getRGB} would take grey ones as linear light
 * and brighten them.
 */
final class BufferedImages {
  /** Writes one row of interleaved pixels. */
  private interface RowWriter {
    void write(int y, byte[] row);
  }

  private BufferedImages() {}

  /** 8 bits per value, 1 channel (grey) or 3 (red, green, blue), over white. */
  static Mat mat(BufferedImage image) {
    ColorModel model = image.getColorModel();
    if (model instanceof IndexColorModel palette) {
      return indexed(image.getRaster(), palette);
    }
    int colours = model.getNumColorComponents();
    boolean samples =
        (model instanceof ComponentColorModel || model instanceof DirectColorModel)
            && (model.getTransferType() == DataBuffer.TYPE_BYTE
                || model.getTransferType() == DataBuffer.TYPE_USHORT
                || model.getTransferType() == DataBuffer.TYPE_INT)
            && (colours == 1 || colours == 3 || colours == 4);
    if (!samples) {
      return converted(image);
    }
    Samples layout = new Samples(colours, model.hasAlpha(), model.isAlphaPremultiplied());
    return layout.mat(image.getRaster(), profile(model.getColorSpace()));
  }

  /** Null where the samples are to be taken as they are. */
  private static ColourProfile profile(ColorSpace space) {
    boolean plain = space.isCS_sRGB() || space == ColorSpace.getInstance(ColorSpace.CS_GRAY);
    if (plain || !(space instanceof ICC_ColorSpace icc)) {
      return null;
    }
    return ColourProfile.of(icc.getProfile().getData(), space.getNumComponents(), remark -> {});
  }

  private static Mat indexed(Raster raster, IndexColorModel palette) {
    int[] indices = new int[raster.getWidth()];
    return mat(
        raster,
        3,
        (y, row) -> {
          raster.getSamples(raster.getMinX(), raster.getMinY() + y, indices.length, 1, 0, indices);
          for (int x = 0; x < indices.length; x++) {
            overWhite(palette.getRGB(indices[x]), row, 3 * x);
          }
        });
  }

  /** Whatever AWT makes of unusual models. */
  private static Mat converted(BufferedImage image) {
    return mat(
        image.getRaster(),
        3,
        (y, row) -> {
          for (int x = 0; x < image.getWidth(); x++) {
            overWhite(image.getRGB(x, y), row, 3 * x);
          }
        });
  }

  private static void overWhite(int argb, byte[] row, int at) {
    for (int c = 0; c < 3; c++) {
      row[at + c] = EncodedImage.overWhite(argb >> (16 - 8 * c) & 0xff, argb >>> 24);
    }
  }

  /**
   * What the samples of a pixel are.
   *
   * @param colours 1 for grey, 3 for RGB, 4 for CMYK
   * @param alpha whether the sample after the colours is their opacity
   * @param premultiplied whether the colours are multiplied by it already
   */
  record Samples(int colours, boolean alpha, boolean premultiplied) {
    /**
     * The pixels as grey or RGB.
     *
     * @param profile of the colours, or null
     */
    Mat mat(Raster raster, ColourProfile profile) {
      int bands = raster.getNumBands();
      int[] largest = raster.getSampleModel().getSampleSize();
      for (int b = 0; b < bands; b++) {
        largest[b] = largest[b] >= 31 ? Integer.MAX_VALUE : (1 << largest[b]) - 1;
      }
      int width = raster.getWidth();
      int[] samples = new int[width * bands];
      byte[] values = new byte[width * colours];
      ColourProfile.Conversion conversion = profile == null ? null : profile.conversion();
      int channels = colours == 1 && profile == null ? 1 : 3;
      byte[] opacity = new byte[width];
      return BufferedImages.mat(
          raster,
          channels,
          (y, row) -> {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, samples);
            values(samples, largest, values, opacity);
            if (conversion != null) {
              conversion.toRgb(values, row);
            } else if (colours == 4) {
              Inks.toRgb(values, row);
            } else {
              System.arraycopy(values, 0, row, 0, row.length);
            }
            if (alpha) {
              for (int i = 0; i < row.length; i++) {
                row[i] = EncodedImage.overWhite(row[i] & 0xff, opacity[i / channels] & 0xff);
              }
            }
          });
    }

    /** Scales to 8 bits; colours that are multiplied by their opacity are divided by it. */
    private void values(int[] samples, int[] largest, byte[] values, byte[] opacity) {
      int bands = largest.length;
      for (int x = 0; x < opacity.length; x++) {
        int alphaValue = alpha ? samples[x * bands + colours] : 0;
        if (alpha) {
          opacity[x] = scaled(alphaValue, largest[colours]);
        }
        for (int c = 0; c < colours; c++) {
          int value = samples[x * bands + c];
          if (premultiplied && alpha) {
            long whole = alphaValue == 0 ? 0 : (long) value * largest[colours] / alphaValue;
            value = (int) Math.min(whole, largest[c]);
          }
          values[x * colours + c] = scaled(value, largest[c]);
        }
      }
    }

    private static byte scaled(int value, int largest) {
      long unsigned = value & 0xffffffffL;
      return (byte) (largest == 255 ? unsigned : (unsigned * 255 + largest / 2) / largest);
    }
  }

  /** As {@link EncodedImage#mat}, where nothing can be malformed. */
  private static Mat mat(Raster raster, int channels, RowWriter rows) {
    Mat mat = new Mat(raster.getHeight(), raster.getWidth(), CV_8UC(channels));
    byte[] row = new byte[raster.getWidth() * channels];
    BytePointer data = mat.data();
    for (int y = 0; y < raster.getHeight(); y++) {
      rows.write(y, row);
      data.position(y * mat.step()).put(row);
    }
    data.position(0);
    return mat;
  }
}
