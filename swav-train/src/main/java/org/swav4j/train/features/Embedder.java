package org.swav4j.train.features;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CropSpec;
import org.swav4j.data.EvaluationView;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.IndexedFeatures;

/**
 * Takes the images of a source, batch by batch, through the evaluation view and a network. Memory
 * stays that of a batch, and of the features where they are collected.
 */
public final class Embedder implements AutoCloseable {
  private static final int BATCH = 128;

  /** The pixels themselves as rows. */
  public static final Network PIXELS = images -> images.dup('c').reshape(images.size(0), -1);

  private static final int PIXELS_SIDE = 32;

  /**
   * Images {@code [n, C, size, size]} to rows {@code [n, D]}, each by itself; the images are reused
   * afterwards. The last of them may be there only to fill a batch, and their rows are dropped.
   */
  @FunctionalInterface
  public interface Network {
    INDArray rows(INDArray images);
  }

  /** Is given rows and the index in the source of each. */
  @FunctionalInterface
  public interface Sink {
    void accept(INDArray rows, int[] indices) throws IOException;
  }

  private final InputSize size;
  private final EvaluationView view;
  private final Normalisation normalisation;
  private final int workers;

  /**
   * @param size at which images are embedded
   * @param normalisation the one the network was trained with
   * @param workers threads that read and resize
   */
  public Embedder(InputSize size, Normalisation normalisation, int workers) {
    this.size = size;
    this.view = new EvaluationView(size.resize(), size.size(), normalisation, workers);
    this.normalisation = normalisation;
    this.workers = workers;
  }

  /** Side in pixels at which images are embedded. */
  public int size() {
    return view.size();
  }

  /**
   * One for judging the {@link #PIXELS} themselves, which sees the same part of images with at most
   * 32 pixels a side: larger ones tell hardly more by their pixels, and thousands of them fill the
   * memory.
   */
  public Embedder ofPixels() {
    return new Embedder(pixelsSize(size), normalisation, workers);
  }

  /** The size at which {@link #ofPixels} sees images. */
  public static InputSize pixelsSize(InputSize size) {
    return size.size() <= PIXELS_SIDE
        ? size
        : new InputSize(
            (int) Math.round((double) PIXELS_SIDE * size.resize() / size.size()), PIXELS_SIDE);
  }

  /** Embeds every readable image of a source, in order. */
  public void embed(ImageSource source, Network network, Sink sink) throws IOException {
    embed(source, network, images -> {}, sink);
  }

  private void embed(ImageSource source, Network network, Consumer<INDArray> viewer, Sink sink)
      throws IOException {
    int size = view.size();
    try (INDArray images =
        Nd4j.create(
            DataType.FLOAT,
            rows(Math.min(BATCH, Math.max(1, source.size()))),
            normalisation.channels(),
            size,
            size)) {
      for (int from = 0; from < source.size(); from += BATCH) {
        int count = Math.min(BATCH, source.size() - from);
        int[] indices = view.fill(source, from, count, images);
        if (indices.length > 0) {
          viewer.accept(first(indices.length, images));
          INDArray read = first(rows(indices.length), images);
          INDArray rows = network.rows(read);
          sink.accept(first(indices.length, rows), indices);
          if (rows != read && rows.closeable()) {
            rows.close();
          }
        }
      }
    }
  }

  /**
   * As many rows as images, or more: a batch that is not full is filled up with what the one before
   * left, so that it goes through the network as others do. To compile that for another number of
   * images would take longer, and memory for the weights once more.
   */
  private int rows(int images) {
    int together = SwavEncoder.imagesAtOnce(size(), size());
    return (images + together - 1) / together * together;
  }

  private static INDArray first(int count, INDArray rows) {
    return count == rows.size(0) ? rows : rows.get(NDArrayIndex.interval(0, count)).dup('c');
  }

  /**
   * The rows of every readable image with its label.
   *
   * @throws IllegalArgumentException if no image can be read
   */
  public FeatureSet collect(ImageSource source, Network network) {
    return collectIndexed(source, network).set();
  }

  /**
   * The same, and which image of the source each row is of.
   *
   * @throws IllegalArgumentException if no image can be read
   */
  public IndexedFeatures collectIndexed(ImageSource source, Network network) {
    return collectIndexed(source, network, images -> {});
  }

  /**
   * The same, and shows the images as the network sees them.
   *
   * @param viewer is given the readable images of each batch, {@code [n, C, size, size]}, which are
   *     reused afterwards
   * @throws IllegalArgumentException if no image can be read
   */
  public IndexedFeatures collectIndexed(
      ImageSource source, Network network, Consumer<INDArray> viewer) {
    Collector collected = new Collector(source);
    try {
      embed(source, network, viewer, collected);
    } catch (IOException e) {
      throw new IllegalStateException("collecting in memory can't fail", e);
    }
    if (collected.filled == 0) {
      throw new IllegalArgumentException(
          "no image of " + source.name() + " can be read: " + view.skipped().summary());
    }
    return collected.features();
  }

  /**
   * The rows of random crops of the images, as classifiers learn from them: a set for each view,
   * without the few images that fill no batch, which are others in each.
   *
   * @param views crops of each image, at least 1
   * @param seed of the crops
   */
  public List<IndexedFeatures> collectCrops(
      ImageSource source, Network network, int views, long seed) {
    List<IndexedFeatures> all = new ArrayList<>();
    try (MultiCropLoader loader = crops(source, Math.min(BATCH, source.size()), seed)) {
      for (int epoch = 0; epoch < views; epoch++) {
        Collector collected = new Collector(source);
        for (MultiCropBatch batch : loader.epoch(epoch)) {
          try (batch;
              INDArray rows = network.rows(batch.crops(0))) {
            collected.accept(rows, batch.indices());
          }
        }
        all.add(collected.features());
      }
    }
    return all;
  }

  /**
   * Images as classifiers learn from them: random crops of 8 % to all of the area, at the size at
   * which images are embedded, half of them mirrored.
   *
   * @param batch images, not more than the source has
   * @param seed of order and crops
   */
  MultiCropLoader crops(ImageSource source, int batch, long seed) {
    return new MultiCropLoader(
        source,
        List.of(new CropSpec(1, view.size(), 0.08, 1)),
        Augmentation.none().withFlip(0.5),
        normalisation,
        batch,
        seed,
        workers);
  }

  /** Rows that come batch by batch, with labels. */
  private static final class Collector implements Sink {
    private final ImageSource source;
    private final int[] labels;
    private final int[] images;
    private INDArray all;
    private int filled;

    Collector(ImageSource source) {
      this.source = source;
      this.labels = new int[source.size()];
      this.images = new int[source.size()];
    }

    @Override
    public void accept(INDArray rows, int[] indices) {
      if (all == null) {
        all = Nd4j.createUninitialized(DataType.FLOAT, source.size(), rows.size(1));
      }
      int end = filled + indices.length;
      all.get(NDArrayIndex.interval(filled, end)).assign(rows);
      for (int i = 0; i < indices.length; i++) {
        labels[filled + i] = source.label(indices[i]);
        images[filled + i] = indices[i];
      }
      filled = end;
    }

    IndexedFeatures features() {
      return filled == source.size()
          ? new IndexedFeatures(new FeatureSet(all, labels), images)
          : new IndexedFeatures(
              new FeatureSet(
                  all.get(NDArrayIndex.interval(0, filled)).dup('c'),
                  Arrays.copyOf(labels, filled)),
              Arrays.copyOf(images, filled));
    }
  }

  /** What is wrong with an image that could not be read. */
  public Optional<String> reason(String description) {
    return view.skipped().reason(description);
  }

  /** What is to be said of images that were read so far, a line for each kind of remark. */
  public List<String> remarks() {
    return view.skipped().remarks();
  }

  /** Images that could not be read so far, in one line. */
  public String skipped() {
    return view.skipped().count() == 0 ? "" : view.skipped().summary();
  }

  @Override
  public void close() {
    view.close();
  }
}
