package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * {@code softmax(scores / epsilon)} of each row by itself: Sinkhorn's matrix with its rows scaled
 * once, and its columns never. In double, with the row's maximum taken off first, so that no range
 * overflows. Keeps its work space. Not thread-safe.
 */
final class RowSoftmax {
  private double[] row = {};

  /**
   * Writes the last B of N rows.
   *
   * @param scores [N, K]
   * @param codes [B, K]
   * @return false if a score of these rows is not finite
   */
  boolean run(HostMatrix scores, double epsilon, HostMatrix codes) {
    if (row.length != scores.columns()) {
      row = new double[scores.columns()];
    }
    int first = scores.rows() - codes.rows();
    for (int i = 0; i < codes.rows(); i++) {
      scores.read(first + i, row);
      if (!normalise(epsilon)) {
        return false;
      }
      codes.write(i, row);
    }
    return true;
  }

  private boolean normalise(double epsilon) {
    double largest = Double.NEGATIVE_INFINITY;
    for (double s : row) {
      if (!Double.isFinite(s)) {
        return false;
      }
      largest = Math.max(largest, s);
    }
    double sum = 0;
    for (int k = 0; k < row.length; k++) {
      row[k] = Math.exp((row[k] - largest) / epsilon);
      sum += row[k];
    }
    for (int k = 0; k < row.length; k++) {
      row[k] /= sum;
    }
    return true;
  }

  /** The same by ND4J operations. */
  static boolean run(INDArray scores, double epsilon, INDArray codes) {
    INDArray last = scores.get(NDArrayIndex.interval(scores.rows() - codes.rows(), scores.rows()));
    if (Checks.countNotFinite(last) > 0) {
      return false;
    }
    INDArray exact = last.castTo(DataType.DOUBLE);
    INDArray p = Transforms.exp(exact.subColumnVector(exact.max(true, 1)).divi(epsilon), false);
    codes.assign(p.diviColumnVector(p.sum(true, 1)));
    return true;
  }
}
