package org.swav4j.data;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Images as evaluation and inference see them: shorter side resized (antialiased), central square,
 * normalised. Nothing is random.
 *
 * <p>{@link #fill} is for one caller at a time; {@link #of} may be called from any thread.
 */
public final class EvaluationView implements AutoCloseable {
  private final int resize;
  private final int size;
  private final Normalisation normalisation;
  private final SkippedImages skipped = new SkippedImages();
  private final List<CropRenderer> renderers = new ArrayList<>();
  private final ExecutorService workers;

  /**
   * @param resize length that the shorter side is brought to, in pixels; at least {@code size}
   *     (ImageNet's custom is 256 for 224; equal to it, the square spans the shorter side)
   * @param size side of the square in pixels
   * @param normalisation the one used in training
   * @param workers threads that {@link #fill} reads and resizes on, at least 1
   * @throws IllegalArgumentException if a value is out of range
   */
  public EvaluationView(int resize, int size, Normalisation normalisation, int workers) {
    if (size < 1 || resize < size) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "evaluation view of %d pixels cut from a shorter side of %d, expected 1 <= size <="
                  + " resize",
              size,
              resize));
    }
    if (workers < 1) {
      throw new IllegalArgumentException(workers + " workers, expected at least 1");
    }
    this.resize = resize;
    this.size = size;
    this.normalisation = normalisation;
    for (int i = 0; i < workers; i++) {
      renderers.add(new CropRenderer(Augmentation.none(), normalisation));
    }
    AtomicInteger number = new AtomicInteger();
    this.workers =
        Executors.newFixedThreadPool(
            workers,
            task -> {
              Thread thread = new Thread(task, "swav-view-" + number.getAndIncrement());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Side of the square in pixels. */
  public int size() {
    return size;
  }

  /** The images that couldn't be read so far. */
  public SkippedImages skipped() {
    return skipped;
  }

  /**
   * One image.
   *
   * @return a new float array {@code [1, C, size, size]}
   * @throws IllegalArgumentException if the image has another number of channels than the
   *     normalisation
   */
  public INDArray of(Image image) {
    CropRenderer renderer = new CropRenderer(Augmentation.none(), normalisation);
    INDArray out = CropBuffers.allocate(1, normalisation.channels(), size, size);
    renderer.renderCentre(image, resize, size, CropBuffers.view(out), 0);
    CropBuffers.written(out);
    return out;
  }

  /**
   * Fills an array with successive images of a source. One that can't be read is noted in {@link
   * #skipped} and leaves no row: the others move up.
   *
   * @param from index of the first image
   * @param count how many to read
   * @param out float {@code [n, C, size, size]}, n ≥ count, row-major and not a view; rows after
   *     the last image read keep what they held
   * @return the indices of the images in rows 0, 1, ...; shorter than {@code count} by as many as
   *     were skipped
   * @throws IllegalArgumentException if a shape or a range doesn't fit
   */
  public int[] fill(ImageSource source, int from, int count, INDArray out) {
    check(source, from, count, out);
    FloatBuffer view = CropBuffers.view(out);
    int length = normalisation.channels() * size * size;
    boolean[] readable = new boolean[count];
    AtomicInteger next = new AtomicInteger();
    List<Callable<Void>> tasks = new ArrayList<>();
    for (CropRenderer renderer : renderers) {
      tasks.add(
          () -> {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
              try {
                Image image = source.read(from + i, resize);
                if (image.remark().isPresent()) {
                  skipped.remark(source.describe(from + i), image);
                }
                renderer.renderCentre(image, resize, size, view, i * length);
                readable[i] = true;
              } catch (UnreadableImageException e) {
                skipped.add(e.image(), e.reason());
              }
            }
            return null;
          });
    }
    runAll(tasks, source);
    int[] indices = new int[count];
    int rows = 0;
    for (int i = 0; i < count; i++) {
      if (readable[i]) {
        if (rows < i) {
          view.put(rows * length, view, i * length, length);
        }
        indices[rows++] = from + i;
      }
    }
    CropBuffers.written(out);
    return Arrays.copyOf(indices, rows);
  }

  private void check(ImageSource source, int from, int count, INDArray out) {
    normalisation.requireChannels(source.channels(), source.name());
    if (from < 0 || count < 0 || from > source.size() - count) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "images %d to %d of %s, which holds %d",
              from,
              (long) from + count - 1,
              source.name(),
              source.size()));
    }
    long[] shape = out.shape();
    if (shape.length != 4
        || shape[0] < count
        || shape[1] != normalisation.channels()
        || shape[2] != size
        || shape[3] != size) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "array of shape %s for %d images, expected [%d or more, %d, %d, %d]",
              Arrays.toString(shape),
              count,
              count,
              normalisation.channels(),
              size,
              size));
    }
  }

  private void runAll(List<Callable<Void>> tasks, ImageSource source) {
    try {
      for (Future<Void> done : workers.invokeAll(tasks)) {
        done.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading " + source.name(), e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(
          "reading " + source.name() + " failed: " + e.getCause(), e.getCause());
    }
  }

  /** Ends the threads. {@link #of} still works. */
  @Override
  public void close() {
    workers.shutdown();
  }
}
