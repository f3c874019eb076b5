package org.swav4j.train.evaluation;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * α-ReQ, how fast the directions of features lose weight, found without labels (Agrawal et al.
 * 2022, α-ReQ: Assessing Representation Quality in Self-Supervised Learning by measuring
 * eigenspectrum decay): the exponent of the power law
 *
 * <pre>
 *   λ_i ∝ i^-α
 * </pre>
 *
 * <p>of the eigenvalues λ_1 ≥ λ_2 ≥ … of the features' covariance. Near 1 is where that paper found
 * features to serve best; far above, few directions hold everything; far below, none stands out
 * from noise. Figures of networks are comparable if D and the images are the same.
 *
 * <p>The line through (ln i, ln λ_i) is fitted with weights 1 / i, our choice, so that every octave
 * of i counts alike, over the eigenvalues of at least a millionth of the largest: smaller ones are
 * rounding.
 */
public final class AlphaReq {
  private static final double SMALLEST = 1e-6;

  private AlphaReq() {}

  /**
   * The exponent.
   *
   * @param features {@code [N, D]}, float
   * @return α, positive where the eigenvalues fall
   * @throws IllegalArgumentException if a number is not finite, or fewer than three eigenvalues are
   *     large enough to lay a line through
   */
  public static double of(INDArray features) {
    if (features.rank() != 2 || features.isEmpty()) {
      throw new IllegalArgumentException(
          "features " + features.shapeInfoToString() + ", expected a matrix [N, D] with rows");
    }
    double[] values;
    try (INDArray mean = features.mean(0);
        INDArray centred = features.subRowVector(mean)) {
      values = RankMe.singularValues(centred);
    }
    Arrays.sort(values);
    double largest = values[values.length - 1];
    double sumW = 0;
    double sumX = 0;
    double sumY = 0;
    double sumXx = 0;
    double sumXy = 0;
    int used = 0;
    for (int i = 1; i <= values.length; i++) {
      double singular = values[values.length - i];
      if (!(singular * singular > SMALLEST * largest * largest)) {
        break;
      }
      double w = 1.0 / i;
      double x = Math.log(i);
      double y = 2 * Math.log(singular);
      sumW += w;
      sumX += w * x;
      sumY += w * y;
      sumXx += w * x * x;
      sumXy += w * x * y;
      used++;
    }
    if (used < 3) {
      throw new IllegalArgumentException(
          "the features vary in "
              + used
              + " directions, expected at least 3 to fit a power law: have they collapsed, or are"
              + " there too few images?");
    }
    return -(sumW * sumXy - sumX * sumY) / (sumW * sumXx - sumX * sumX);
  }
}
