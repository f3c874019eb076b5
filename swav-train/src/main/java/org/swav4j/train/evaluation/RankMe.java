package org.swav4j.train.evaluation;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.eigen.Eigen;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * RankMe, how many directions features really use, found without labels (Garrido et al. 2023, <a
 * href="https://arxiv.org/abs/2210.02885">arXiv 2210.02885</a>):
 *
 * <pre>
 *   RankMe(Z) = exp(-Σ_k p_k ln p_k),   p_k = σ_k(Z) / Σ_i σ_i(Z) + 1e-7
 * </pre>
 *
 * <p>σ are the min(N, D) singular values of the features as they are, not centred. From 1 (all rows
 * on a line: collapse) to about D (every direction alike). Figures of networks are comparable if D
 * and the images are the same.
 */
public final class RankMe {
  private static final double EPSILON = 1e-7;

  /** Rows that are in double at a time. */
  private static final int BLOCK = 4096;

  private RankMe() {}

  /**
   * The effective rank.
   *
   * @param features {@code [N, D]}, at least one row
   * @return at least 1, and not above min(N, D) but for ε
   * @throws IllegalArgumentException if there is no row, a number is not finite, or all are 0
   */
  public static double of(INDArray features) {
    if (features.rank() != 2 || features.isEmpty()) {
      throw new IllegalArgumentException(
          "features " + features.shapeInfoToString() + ", expected a matrix [N, D] with rows");
    }
    double[] singular = singularValues(features);
    double sum = 0;
    for (double s : singular) {
      sum += s;
    }
    if (!(sum > 0 && sum < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the singular values of the features sum to "
              + sum
              + ", expected a finite number above 0: have the weights diverged in training?");
    }
    double entropy = 0;
    for (double s : singular) {
      double p = s / sum + EPSILON;
      entropy -= p * Math.log(p);
    }
    return Math.exp(entropy);
  }

  /**
   * Square roots of the eigenvalues of the smaller of ZᵀZ and ZZᵀ, in double. A value below 1e-8 of
   * the largest is lost in its rounding, which adds no more than ε does.
   */
  static double[] singularValues(INDArray features) {
    INDArray gram = gram(features);
    if (!Double.isFinite(gram.sumNumber().doubleValue())) {
      throw new IllegalArgumentException(
          "features hold NaN, infinite or enormous numbers: have the weights diverged in training?");
    }
    // Fortran's order, and overwritten.
    INDArray eigenvalues = Eigen.symmetricGeneralizedEigenvalues(gram.dup('f'), false);
    double[] values = eigenvalues.toDoubleVector();
    for (int k = 0; k < values.length; k++) {
      values[k] = Math.sqrt(Math.max(0, values[k]));
    }
    gram.close();
    return values;
  }

  private static INDArray gram(INDArray features) {
    long n = features.size(0);
    long d = features.size(1);
    if (n < d) {
      try (INDArray z = features.castTo(DataType.DOUBLE).dup('c')) {
        return Nd4j.matmul(z, z, false, true, false);
      }
    }
    INDArray gram = Nd4j.zeros(DataType.DOUBLE, d, d);
    for (long from = 0; from < n; from += BLOCK) {
      INDArray rows = features.get(NDArrayIndex.interval(from, Math.min(n, from + BLOCK)));
      try (INDArray z = rows.castTo(DataType.DOUBLE).dup('c');
          INDArray part = Nd4j.matmul(z, z, true, false, false)) {
        gram.addi(part);
      }
    }
    return gram;
  }
}
