package org.swav4j.train.answers;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.ImageSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.evaluation.ClusterAgreement;
import org.swav4j.train.features.Embedder;

/**
 * Images by the prototype that each is nearest to, as {@link SwavEncoder#assign} has it.
 *
 * <p>Rows are the images that can be read, in the order of their source. Memory is twelve bytes an
 * image. Immutable; thread-safe where the source is.
 */
public final class Clustering {
  private final ImageSource source;
  private final int prototypes;
  private final int[] images;
  private final int[] nearest;
  private final float[] similarity;

  /**
   * @param images of the source, one for each row
   * @param nearest prototype of each row
   * @param similarity of each row to it, a cosine
   */
  Clustering(ImageSource source, int prototypes, int[] images, int[] nearest, float[] similarity) {
    this.source = source;
    this.prototypes = prototypes;
    this.images = images;
    this.nearest = nearest;
    this.similarity = similarity;
  }

  /**
   * One prototype and its images.
   *
   * @param prototype its number, from 0
   * @param size images that are nearest to it, at least 1
   * @param typical those most similar to it, as indices of the source, the most similar first
   * @param label the commonest class, of equally common ones the lowest; -1 if no image has one
   * @param labelShare share of that class among the images that have a label; NaN if none has
   */
  public record Cluster(
      int prototype, int size, List<Integer> typical, int label, double labelShare) {
    /** Copies the list. */
    public Cluster {
      typical = List.copyOf(typical);
    }
  }

  /**
   * Assigns every readable image of a source.
   *
   * @param encoder takes what the embedder gives: {@link SwavEncoder#ofNormalised(
   *     org.swav4j.model.SwavWeights)}
   * @throws IllegalArgumentException if no image can be read
   */
  public static Clustering of(ImageSource source, Embedder embedder, SwavEncoder encoder) {
    int prototypes = encoder.config().prototypes();
    int[] images = new int[source.size()];
    int[] nearest = new int[source.size()];
    float[] similarity = new float[source.size()];
    int[] rows = new int[1];
    try {
      embedder.embed(
          source,
          encoder::scores,
          (scores, indices) -> {
            try (INDArray winners = scores.argMax(1);
                INDArray best = scores.max(1)) {
              for (int i = 0; i < indices.length; i++, rows[0]++) {
                images[rows[0]] = indices[i];
                nearest[rows[0]] = winners.getInt(i);
                similarity[rows[0]] = best.getFloat(i);
              }
            }
          });
    } catch (IOException e) {
      throw new IllegalStateException("collecting in memory can't fail", e);
    }
    if (rows[0] == 0) {
      throw new IllegalArgumentException(
          "no image of " + source.name() + " can be read: " + embedder.skipped());
    }
    return new Clustering(
        source,
        prototypes,
        Arrays.copyOf(images, rows[0]),
        Arrays.copyOf(nearest, rows[0]),
        Arrays.copyOf(similarity, rows[0]));
  }

  /** Rows: images that could be read. */
  public int size() {
    return images.length;
  }

  /** K, prototypes of the network, used or not. */
  public int prototypes() {
    return prototypes;
  }

  /** The source's index of a row's image. */
  public int image(int row) {
    return images[row];
  }

  /** The prototype that a row is nearest to, from 0. */
  public int prototype(int row) {
    return nearest[row];
  }

  /** The cosine of a row's embedding with its prototype. */
  public float similarity(int row) {
    return similarity[row];
  }

  /**
   * The prototypes that hold an image, the largest first, of equally large ones the lowest number.
   *
   * @param typical how many images represent each, at most
   */
  public List<Cluster> clusters(int typical) {
    Integer[] rows = IntStream.range(0, size()).boxed().toArray(Integer[]::new);
    Arrays.sort(
        rows,
        Comparator.<Integer>comparingInt(row -> nearest[row])
            .thenComparing(row -> -similarity[row])
            .thenComparing(row -> row));
    List<Cluster> clusters = new ArrayList<>();
    for (int start = 0; start < rows.length; ) {
      int end = start;
      while (end < rows.length && nearest[rows[end]] == nearest[rows[start]]) {
        end++;
      }
      clusters.add(cluster(Arrays.asList(rows).subList(start, end), typical));
      start = end;
    }
    clusters.sort(Comparator.comparingInt(c -> -c.size()));
    return clusters;
  }

  private Cluster cluster(List<Integer> rows, int typical) {
    int[] counts = new int[source.classes().size()];
    int labelled = 0;
    for (int row : rows) {
      int label = source.label(images[row]);
      if (label >= 0) {
        counts[label]++;
        labelled++;
      }
    }
    int commonest = 0;
    for (int label = 1; label < counts.length; label++) {
      commonest = counts[label] > counts[commonest] ? label : commonest;
    }
    return new Cluster(
        nearest[rows.get(0)],
        rows.size(),
        rows.stream().limit(typical).map(row -> images[row]).toList(),
        labelled == 0 ? -1 : commonest,
        labelled == 0 ? Double.NaN : (double) counts[commonest] / labelled);
  }

  /** How well prototypes and classes agree on the labelled images; empty if there are none. */
  public Optional<ClusterAgreement> agreement() {
    int[] labelled =
        IntStream.range(0, size()).filter(row -> source.label(images[row]) >= 0).toArray();
    return labelled.length == 0
        ? Optional.empty()
        : Optional.of(
            ClusterAgreement.of(
                Arrays.stream(labelled).map(row -> nearest[row]).toArray(),
                Arrays.stream(labelled).map(row -> source.label(images[row])).toArray()));
  }
}
