package org.swav4j.train.features;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.EvaluationView;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.train.evaluation.FeatureSet;

/**
 * Takes the images of a source, batch by batch, through the evaluation view and a network. Memory
 * stays that of a batch, and of the features where they are collected.
 */
public final class Embedder implements AutoCloseable {
  private static final int BATCH = 128;

  /** Images {@code [n, C, size, size]} to rows {@code [n, D]}; the images are reused afterwards. */
  @FunctionalInterface
  public interface Network {
    INDArray rows(INDArray images);
  }

  /** Is given rows and the index in the source of each. */
  @FunctionalInterface
  public interface Sink {
    void accept(INDArray rows, int[] indices) throws IOException;
  }

  private final EvaluationView view;
  private final int channels;

  /**
   * @param size at which images are embedded
   * @param normalisation the one the network was trained with
   * @param workers threads that read and resize
   */
  public Embedder(InputSize size, Normalisation normalisation, int workers) {
    this.view = new EvaluationView(size.resize(), size.size(), normalisation, workers);
    this.channels = normalisation.channels();
  }

  /** Embeds every readable image of a source, in order. */
  public void embed(ImageSource source, Network network, Sink sink) throws IOException {
    int size = view.size();
    try (INDArray images =
        Nd4j.createUninitialized(
            DataType.FLOAT, Math.min(BATCH, Math.max(1, source.size())), channels, size, size)) {
      for (int from = 0; from < source.size(); from += BATCH) {
        int count = Math.min(BATCH, source.size() - from);
        int[] indices = view.fill(source, from, count, images);
        if (indices.length > 0) {
          INDArray read =
              indices.length == images.size(0)
                  ? images
                  : images.get(NDArrayIndex.interval(0, indices.length)).dup('c');
          INDArray rows = network.rows(read);
          sink.accept(rows, indices);
          if (rows != read && rows.closeable()) {
            rows.close();
          }
        }
      }
    }
  }

  /**
   * The rows of every readable image with its label.
   *
   * @throws IllegalArgumentException if no image can be read
   */
  public FeatureSet collect(ImageSource source, Network network) {
    INDArray[] all = new INDArray[1];
    int[] labels = new int[source.size()];
    int[] filled = new int[1];
    try {
      embed(
          source,
          network,
          (rows, indices) -> {
            if (all[0] == null) {
              all[0] = Nd4j.createUninitialized(DataType.FLOAT, source.size(), rows.size(1));
            }
            int end = filled[0] + indices.length;
            all[0].get(NDArrayIndex.interval(filled[0], end)).assign(rows);
            for (int i = 0; i < indices.length; i++) {
              labels[filled[0] + i] = source.label(indices[i]);
            }
            filled[0] = end;
          });
    } catch (IOException e) {
      throw new IllegalStateException("collecting in memory can't fail", e);
    }
    if (filled[0] == 0) {
      throw new IllegalArgumentException(
          "no image of " + source.name() + " can be read: " + view.skipped().summary());
    }
    return filled[0] == source.size()
        ? new FeatureSet(all[0], labels)
        : new FeatureSet(
            all[0].get(NDArrayIndex.interval(0, filled[0])).dup('c'),
            Arrays.copyOf(labels, filled[0]));
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
