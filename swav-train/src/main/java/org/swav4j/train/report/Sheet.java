package org.swav4j.train.report;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.util.Base64;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.Normalisation;
import org.swav4j.train.host.HostTensor;

/**
 * Small pictures of one size, side by side in one: a page with thousands of them loads one file and
 * shows parts of it. Made of what the network is given, normalised pixels.
 */
final class Sheet {
  /** JPEG's blocks, two by two: pictures that begin at a multiple don't run into each other. */
  private static final int BLOCK = 16;

  private static final float[] QUALITIES = {0.85f, 0.7f, 0.5f, 0.3f};

  /**
   * What a page needs to cut it apart: picture i begins at column {@code (i % columns) * pitch},
   * row {@code (i / columns) * pitch}.
   *
   * @param tile side of a picture, in pixels
   * @param pitch from one to the next, in pixels
   * @param columns pictures in a row
   * @param rows of pictures
   * @param image as a data URI
   */
  record Encoded(int tile, int pitch, int columns, int rows, String image) {}

  private final int tile;
  private final int pitch;
  private final int columns;
  private final BufferedImage picture;
  private final Normalisation normalisation;
  private final HostTensor host = new HostTensor();
  private int filled;

  /**
   * An empty sheet.
   *
   * @param tile side of a picture, in pixels
   * @param count of pictures, at most
   * @param normalisation to be undone
   */
  Sheet(int tile, int count, Normalisation normalisation) {
    this.tile = tile;
    this.pitch = (tile + BLOCK - 1) / BLOCK * BLOCK;
    this.columns = Math.max(1, (int) Math.ceil(Math.sqrt(count)));
    int rows = Math.max(1, (count + columns - 1) / columns);
    this.picture = new BufferedImage(columns * pitch, rows * pitch, BufferedImage.TYPE_INT_RGB);
    this.normalisation = normalisation;
  }

  /**
   * Adds pictures.
   *
   * @param images {@code [n, C, size, size]}, normalised; a larger size is averaged down to the
   *     tile's, which a smaller one must not be
   */
  void add(INDArray images) {
    FloatBuffer pixels = host.read(images);
    int channels = (int) images.size(1);
    int size = (int) images.size(2);
    for (int i = 0; i < images.size(0); i++) {
      draw(pixels, i * channels * size * size, channels, size);
      filled++;
    }
  }

  private void draw(FloatBuffer pixels, int start, int channels, int size) {
    int left = filled % columns * pitch;
    int top = filled / columns * pitch;
    for (int y = 0; y < tile; y++) {
      for (int x = 0; x < tile; x++) {
        int rgb = 0;
        for (int c = 0; c < 3; c++) {
          int channel = Math.min(c, channels - 1);
          int from = start + channel * size * size;
          double value =
              mean(pixels, from, size, x, y) * normalisation.deviation().get(channel)
                  + normalisation.mean().get(channel);
          rgb = rgb << 8 | (int) Math.max(0, Math.min(255, Math.round(255 * value)));
        }
        picture.setRGB(left + x, top + y, rgb);
      }
    }
  }

  /** Of the pixels of a channel that become one of the tile. */
  private double mean(FloatBuffer pixels, int from, int size, int x, int y) {
    int y1 = Math.max(y * size / tile + 1, (y + 1) * size / tile);
    int x1 = Math.max(x * size / tile + 1, (x + 1) * size / tile);
    double sum = 0;
    int count = 0;
    for (int v = y * size / tile; v < y1; v++) {
      for (int u = x * size / tile; u < x1; u++) {
        sum += pixels.get(from + v * size + u);
        count++;
      }
    }
    return sum / count;
  }

  /**
   * As JPEG, of the best quality that fits.
   *
   * @param mostBytes of the data URI; the lowest quality may take more
   */
  Encoded encode(int mostBytes) {
    String image = "";
    for (float quality : QUALITIES) {
      image = "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(jpeg(quality));
      if (image.length() <= mostBytes) {
        break;
      }
    }
    return new Encoded(tile, pitch, columns, picture.getHeight() / pitch, image);
  }

  private byte[] jpeg(float quality) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    ImageWriteParam how = writer.getDefaultWriteParam();
    how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
    how.setCompressionQuality(quality);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
      writer.setOutput(out);
      writer.write(null, new IIOImage(picture, null, null), how);
    } catch (IOException e) {
      throw new UncheckedIOException("writing in memory can't fail", e);
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }
}
