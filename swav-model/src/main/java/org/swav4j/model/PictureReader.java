package org.swav4j.model;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
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
    return view.of(ImageDecoder.of(picture, channels, size.resize()));
  }

  INDArray read(InputStream picture) throws IOException {
    try {
      return view.of(ImageDecoder.decode("the image", picture, channels, size.resize()));
    } catch (UnreadableImageException e) {
      throw new IOException(e.getMessage(), e);
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
      try (InputStream in = Files.newInputStream(paths.get(index))) {
        return ImageDecoder.decode(describe(index), in, channels, atLeast);
      } catch (NoSuchFileException e) {
        failure = new UnreadableImageException(describe(index), "there is no such file", e);
        throw failure;
      } catch (IOException e) {
        failure = new UnreadableImageException(describe(index), "can't be read: " + e, e);
        throw failure;
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
