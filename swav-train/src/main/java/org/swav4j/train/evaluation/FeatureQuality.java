package org.swav4j.train.evaluation;

import java.util.function.ToDoubleFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How good features are, with labels and without; NaN where a figure is not known.
 *
 * @param knn accuracy of {@link KNearestNeighbours}, 0 to 1
 * @param rankMe how many directions they use, see {@link RankMe}
 * @param alphaReq how fast these lose weight, see {@link AlphaReq}
 */
public record FeatureQuality(double knn, double rankMe, double alphaReq) {
  /** Nothing is known. */
  public static final FeatureQuality UNKNOWN =
      new FeatureQuality(Double.NaN, Double.NaN, Double.NaN);

  /**
   * What can be told without labels. A figure that the features don't have, because they have
   * collapsed or diverged, is NaN.
   *
   * @param features {@code [N, D]}, float
   */
  public static FeatureQuality of(INDArray features) {
    return new FeatureQuality(
        Double.NaN, known(RankMe::of, features), known(AlphaReq::of, features));
  }

  private static double known(ToDoubleFunction<INDArray> figure, INDArray features) {
    try {
      return figure.applyAsDouble(features);
    } catch (IllegalArgumentException e) {
      return Double.NaN;
    }
  }

  /** The same with an accuracy. */
  public FeatureQuality withKnn(double accuracy) {
    return new FeatureQuality(accuracy, rankMe, alphaReq);
  }
}
