package org.swav4j.train.evaluation;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Features of N images and the class of each.
 *
 * @param features {@code [N, D]}, float
 * @param labels N class numbers from 0; -1 for an image without a label
 */
public record FeatureSet(INDArray features, int[] labels) {
  /** Checks the shapes; throws IllegalArgumentException if they do not fit. */
  public FeatureSet {
    if (features.rank() != 2
        || features.dataType() != DataType.FLOAT
        || features.size(0) != labels.length) {
      throw new IllegalArgumentException(
          "features "
              + features.dataType()
              + Arrays.toString(features.shape())
              + " with "
              + labels.length
              + " labels, expected FLOAT[N, D] and N labels");
    }
  }

  /** N. */
  public int size() {
    return labels.length;
  }

  /** D. */
  public int dim() {
    return (int) features.size(1);
  }

  /** One more than the largest label; 0 if no image has one. */
  public int classes() {
    return Arrays.stream(labels).max().orElse(-1) + 1;
  }

  /**
   * Some of the rows, copied.
   *
   * @param numbers of the rows, in the order wanted
   */
  public FeatureSet rows(int... numbers) {
    return new FeatureSet(
        Nd4j.pullRows(features, 1, numbers),
        Arrays.stream(numbers).map(row -> labels[row]).toArray());
  }

  /** Refuses what no accuracy can be computed from. */
  void requireLabels(String role) {
    if (labels.length == 0) {
      throw new IllegalArgumentException(
          "the " + role + " set is empty: k-NN and linear probe need labelled images in both sets");
    }
    for (int n = 0; n < labels.length; n++) {
      if (labels[n] < 0) {
        throw new IllegalArgumentException(
            role
                + " image "
                + n
                + " has no label ("
                + labels[n]
                + "): accuracy needs labels, for instance a folder per class");
      }
    }
  }

  static void requireSameWidth(FeatureSet train, INDArray other) {
    if (other.rank() != 2 || other.size(1) != train.dim()) {
      throw new IllegalArgumentException(
          "test features "
              + Arrays.toString(other.shape())
              + " against training features "
              + Arrays.toString(train.features().shape())
              + ": both must come from the same network and view");
    }
  }
}
