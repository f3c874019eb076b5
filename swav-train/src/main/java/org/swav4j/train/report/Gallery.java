package org.swav4j.train.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.evaluation.PrincipalComponents;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * What a network makes of a sample of images, for people to look at.
 *
 * @param pictures one for each image
 * @param prototypes one for each prototype; empty where there are none
 * @param mapShares of the features' variance that lie along the map's two sides
 */
record Gallery(List<Picture> pictures, List<Prototype> prototypes, double[] mapShares) {
  /** Neighbours of an image and typical images of a prototype that are shown. */
  private static final int SHOWN = 6;

  /** Cosine above which a prototype is a copy of another, as for training's diagnostics. */
  private static final double SAME = 0.9999;

  /** Rows whose cosines to all others exist at a time. */
  private static final int BLOCK = 256;

  /**
   * An image.
   *
   * @param label its class; null where it has none
   * @param prototype the one its embedding is nearest to; null without prototypes
   * @param x first principal component of its features at unit length
   * @param y the second
   * @param neighbours the images whose features are most similar (cosine), best first
   * @param similarities of these, cosines
   */
  record Picture(
      Integer label,
      Integer prototype,
      float x,
      float y,
      List<Integer> neighbours,
      List<Float> similarities) {}

  /**
   * A prototype.
   *
   * @param size images of the sample that it is the nearest prototype of; 0: it is dead
   * @param label the class that most of them have; null if no image has one
   * @param purity share of the labelled ones that have this class; null if none is labelled
   * @param typical the most similar of these images (cosine), best first
   * @param copyOf the first other prototype that it is a copy of; null if it is none
   * @param likeness its largest cosine to another prototype; null if it is the only one
   */
  record Prototype(
      int size,
      Integer label,
      Double purity,
      List<Integer> typical,
      Integer copyOf,
      Double likeness) {}

  /**
   * Compares images with each other and with prototypes.
   *
   * @param features {@code [N, F]}, float
   * @param embeddings {@code [N, D]}, float, unit rows
   * @param prototypes {@code [K, D]}, float, rows of any length; null without
   * @param labels N class numbers, -1 for an image without
   */
  static Gallery of(INDArray features, INDArray embeddings, INDArray prototypes, int[] labels) {
    int n = labels.length;
    float[][] scores = new float[0][];
    List<Prototype> found = List.of();
    if (prototypes != null) {
      try (INDArray centres = unit(prototypes);
          INDArray products = Nd4j.matmul(embeddings, centres, false, true, false)) {
        scores = products.toFloatMatrix();
        found = prototypes(scores, centres, labels);
      }
    }
    List<Picture> pictures = new ArrayList<>();
    try (INDArray rows = unit(features)) {
      PrincipalComponents map = PrincipalComponents.of(rows, 2);
      float[][] places = map.coordinates().toFloatMatrix();
      map.coordinates().close();
      for (int from = 0; from < n; from += BLOCK) {
        INDArray block = rows.get(NDArrayIndex.interval(from, Math.min(n, from + BLOCK)));
        try (INDArray cosines = Nd4j.matmul(block, rows, false, true, false)) {
          for (float[] row : cosines.toFloatMatrix()) {
            int i = pictures.size();
            row[i] = Float.NEGATIVE_INFINITY;
            List<Integer> nearest = largest(row, IntStream.range(0, n).filter(j -> j != i));
            pictures.add(
                new Picture(
                    labels[i] < 0 ? null : labels[i],
                    scores.length == 0 ? null : best(scores[i]),
                    places[i][0],
                    places[i][1],
                    nearest,
                    nearest.stream().map(j -> row[j]).toList()));
          }
        }
      }
      return new Gallery(pictures, found, map.shares());
    }
  }

  private static INDArray unit(INDArray rows) {
    INDArray unit = rows.dup('c');
    new PrototypeNormaliser().normalise(unit);
    return unit;
  }

  private static List<Prototype> prototypes(float[][] scores, INDArray centres, int[] labels) {
    int k = (int) centres.size(0);
    List<List<Integer>> members = new ArrayList<>();
    for (int p = 0; p < k; p++) {
      members.add(new ArrayList<>());
    }
    for (int i = 0; i < scores.length; i++) {
      members.get(best(scores[i])).add(i);
    }
    int classes = Arrays.stream(labels).max().orElse(-1) + 1;
    List<Prototype> prototypes = new ArrayList<>();
    for (int from = 0; from < k; from += BLOCK) {
      INDArray block = centres.get(NDArrayIndex.interval(from, Math.min(k, from + BLOCK)));
      try (INDArray cosines = Nd4j.matmul(block, centres, false, true, false)) {
        for (float[] others : cosines.toFloatMatrix()) {
          prototypes.add(
              prototype(
                  prototypes.size(),
                  members.get(prototypes.size()),
                  scores,
                  others,
                  labels,
                  classes));
        }
      }
    }
    return prototypes;
  }

  private static Prototype prototype(
      int number,
      List<Integer> members,
      float[][] scores,
      float[] others,
      int[] labels,
      int classes) {
    int[] counts = new int[classes];
    members.stream().filter(i -> labels[i] >= 0).forEach(i -> counts[labels[i]]++);
    int labelled = Arrays.stream(counts).sum();
    int most = labelled == 0 ? -1 : best(counts);
    others[number] = Float.NEGATIVE_INFINITY;
    float likeness = others.length == 1 ? Float.NaN : others[best(others)];
    float[] cosines = new float[scores.length];
    members.forEach(i -> cosines[i] = scores[i][number]);
    return new Prototype(
        members.size(),
        most < 0 ? null : most,
        most < 0 ? null : (double) counts[most] / labelled,
        largest(cosines, members.stream().mapToInt(i -> i)),
        likeness > SAME
            ? (Integer)
                IntStream.range(0, others.length)
                    .filter(o -> others[o] > SAME)
                    .findFirst()
                    .getAsInt()
            : null,
        Float.isNaN(likeness) ? null : (double) likeness);
  }

  /** The first of the largest. */
  private static int best(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  private static int best(int[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  /** The largest few, best first; of equal ones the first. */
  private static List<Integer> largest(float[] values, IntStream of) {
    List<Integer> best = new ArrayList<>();
    of.forEach(
        i -> {
          int place = best.size();
          while (place > 0 && values[i] > values[best.get(place - 1)]) {
            place--;
          }
          if (place < SHOWN) {
            best.add(place, i);
            best.subList(Math.min(SHOWN, best.size()), best.size()).clear();
          }
        });
    return best;
  }
}
