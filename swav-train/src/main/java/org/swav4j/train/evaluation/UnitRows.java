package org.swav4j.train.evaluation;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Rows scaled to length 1, whose inner products are cosines. */
public final class UnitRows {
  private UnitRows() {}

  /**
   * A copy with rows of length 1; rows of zeros stay zeros, similar to nothing.
   *
   * @param rows {@code [N, D]}, float
   * @throws IllegalArgumentException if a number is not finite
   */
  public static INDArray copyOf(INDArray rows) {
    return inPlace(rows.dup('c'));
  }

  /**
   * The same without a copy.
   *
   * @param rows {@code [N, D]}, float, overwritten
   * @return rows
   * @throws IllegalArgumentException if a number is not finite
   */
  public static INDArray inPlace(INDArray rows) {
    INDArray norms = rows.norm2(1);
    for (int n = 0; n < norms.length(); n++) {
      float norm = norms.getFloat(n);
      if (!(norm < Float.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "feature row "
                + n
                + " has norm "
                + norm
                + ", expected a finite number: have the weights diverged in training?");
      }
    }
    rows.diviColumnVector(norms.addi(1e-12f));
    norms.close();
    return rows;
  }
}
