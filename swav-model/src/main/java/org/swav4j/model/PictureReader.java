package org.swav4j.model;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.data.EvaluationView;
import org.swav4j.data.Image;
import org.swav4j.data.ImageDecoder;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.data.UnreadableImageException;

/**
 * Pictures as arrays for a network: decoded by {@link ImageDecoder} and shown through {@link
 * EvaluationView}, which is the way of training, evaluation and the command line. Thread-safe.
 */
final class PictureReader implements AutoCloseable {
  /** Larger files are refused, in bytes. */
  private static final int LARGEST_FILE = 512 << 20;

  private final InputSize size;
  private final int channels;
  private final EvaluationView view;

  /** The normalisation tells how many channels the network takes. */
  PictureReader(InputSize size, Normalisation normalisation) {
    this.size = size;
    this.channels = normalisation.channels();
    this.view =
        new EvaluationView(
            size.resize(), size.size(), normalisation, Runtime.getRuntime().availableProcessors());
  }

  INDArray read(BufferedImage picture) {
    return view.of(convert(picture));
  }

  INDArray read(InputStream picture) throws IOException {
    try {
      byte[] bytes = picture.readNBytes(LARGEST_FILE + 1);
      return view.of(ImageDecoder.decode("the image", checked("the image", bytes.length, bytes), channels, size.resize()));
    } catch (UnreadableImageException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private Image convert(BufferedImage picture) {
    int width = picture.getWidth();
    int height = picture.getHeight();
    BufferedImage rgb = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = rgb.createGraphics();
    graphics.drawImage(picture, 0, 0, Color.WHITE, null);
    graphics.dispose();
    int[] packed = rgb.getRGB(0, 0, width, height, null, 0, width);
    byte[] values = new byte[channels * packed.length];
    for (int i = 0; i < packed.length; i++) {
      int red = packed[i] >> 16 & 255;
      int green = packed[i] >> 8 & 255;
      int blue = packed[i] & 255;
      if (channels == 1) {
        values[i] = (byte) Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
      } else {
        values[3 * i] = (byte) red;
        values[3 * i + 1] = (byte) green;
        values[3 * i + 2] = (byte) blue;
      }
    }
    return new Image(width, height, channels, values);
  }

  private static byte[] checked(String description, long size, byte[] bytes)
      throws UnreadableImageException {
    if (size > LARGEST_FILE) {
      throw new UnreadableImageException(
          description, "more than " + (LARGEST_FILE >> 20) + " MiB, which are the most that is read");
    }
    return bytes;
  }

  private static byte[] bytes(Path file) throws UnreadableImageException {
    try {
      checked(file.toString(), java.nio.file.Files.size(file), null);
      return java.nio.file.Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new UnreadableImageException(file.toString(), "there is no such file", e);
    } catch (IOException e) {
      throw new UnreadableImageException(file.toString(), "can't be read: " + e, e);
    }
  }

  /** All of them, or an exception that names the first that can't be read. */
  INDArray read(List<Path> pictures) throws IOException {
    INDArray out =
        Nd4j.createUninitialized(
            DataType.FLOAT, pictures.size(), channels, size.size(), size.size());
    PathSource files = new PathSource(pictures, channels);
    int read;
    synchronized (view) {
      read = view.fill(files, 0, pictures.size(), out).length;
    }
    if (read < pictures.size()) {
      out.close();
      throw new IOException(files.failure.getMessage(), files.failure);
    }
    return out;
  }

  /** Pictures without labels. */
  private static final class PathSource implements ImageSource {
    private final List<Path> paths;
    private final int channels;
    private volatile UnreadableImageException failure;

    PathSource(List<Path> paths, int channels) {
      this.paths = paths;
      this.channels = channels;
    }

    @Override
    public String name() {
      return "a list of images";
    }

    @Override
    public int size() {
      return paths.size();
    }

    @Override
    public int channels() {
      return channels;
    }

    @Override
    public Image read(int index, int atLeast) throws UnreadableImageException {
      try {
        return ImageDecoder.decode(describe(index), bytes(paths.get(index)), channels, atLeast);
      } catch (UnreadableImageException e) {
        failure = e;
        throw e;
      }
    }

    @Override
    public int label(int index) {
      return -1;
    }

    @Override
    public List<String> classes() {
      return List.of();
    }

    @Override
    public String describe(int index) {
      return paths.get(index).toString();
    }
  }

  @Override
  public void close() {
    view.close();
  }
}
