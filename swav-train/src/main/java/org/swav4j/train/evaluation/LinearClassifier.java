package org.swav4j.train.evaluation;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Classes of features by a plane each, fitted by {@link LogisticRegression}: the logits of a row x
 * are W x / |x| + b. Immutable; thread-safe.
 *
 * @param weight W, {@code [C, D]}, float
 * @param bias b, {@code [C]}, float
 */
public record LinearClassifier(INDArray weight, INDArray bias) {
  /** Checks the shapes; throws IllegalArgumentException if they do not fit. */
  public LinearClassifier {
    if (weight.rank() != 2
        || bias.rank() != 1
        || bias.length() != weight.size(0)
        || weight.dataType() != DataType.FLOAT
        || bias.dataType() != DataType.FLOAT) {
      throw new IllegalArgumentException(
          "weight "
              + weight.dataType()
              + Arrays.toString(weight.shape())
              + " and bias "
              + bias.dataType()
              + Arrays.toString(bias.shape())
              + ", expected FLOAT[C, D] and FLOAT[C]");
    }
  }

  /** C. */
  public int classes() {
    return (int) weight.size(0);
  }

  /** D. */
  public int dim() {
    return (int) weight.size(1);
  }

  /**
   * How probable each class is.
   *
   * @param features {@code [N, D]}, float, of any length
   * @return a new array {@code [N, C]} whose rows sum to 1
   * @throws IllegalArgumentException if the width is another or a number is not finite
   */
  public INDArray probabilities(INDArray features) {
    if (features.rank() != 2 || features.size(1) != dim()) {
      throw new IllegalArgumentException(
          "features "
              + Arrays.toString(features.shape())
              + ", expected [N, "
              + dim()
              + "]: of the network that the classifier was fitted with");
    }
    try (INDArray unit = UnitRows.copyOf(features)) {
      INDArray logits = Nd4j.createUninitialized(DataType.FLOAT, features.size(0), classes());
      Nd4j.matmul(unit, weight, logits, false, true, false);
      logits.addiRowVector(bias);
      Nd4j.exec((CustomOp) new SoftMax(logits, logits, 1));
      return logits;
    }
  }

  /**
   * The most probable class of each row.
   *
   * @param features {@code [N, D]}, float
   * @throws IllegalArgumentException as {@link #probabilities}
   */
  public int[] predict(INDArray features) {
    try (INDArray probabilities = probabilities(features)) {
      return probabilities.argMax(1).toIntVector();
    }
  }
}
