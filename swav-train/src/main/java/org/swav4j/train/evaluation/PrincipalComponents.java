package org.swav4j.train.evaluation;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.eigen.Eigen;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Rows seen along the directions in which they vary most (principal component analysis), for maps.
 *
 * <p>The directions are eigenvectors of the Gram matrix X Xᵀ of at most {@value #ROWS} rows taken
 * at even distances and centred, so that their cost doesn't grow with the rows nor with the square
 * of their width; all rows are then seen along them.
 *
 * @param coordinates {@code [N, count]} in double, of mean about 0; of each column the largest
 *     number by magnitude is positive, so that a map keeps its sides
 * @param shares of the variance that lie in each of these directions, largest first
 */
public record PrincipalComponents(INDArray coordinates, double[] shares) {
  private static final int ROWS = 512;

  /** Of the largest eigenvalue; below it there is only rounding. */
  private static final double NOTHING = 1e-12;

  /**
   * The first components.
   *
   * @param rows {@code [N, D]}, at least one row
   * @param count of directions, at least 1; those that the rows don't have are zeros
   * @throws IllegalArgumentException if there is no row, or a number is not finite
   */
  public static PrincipalComponents of(INDArray rows, int count) {
    if (rows.rank() != 2 || rows.isEmpty() || count < 1) {
      throw new IllegalArgumentException(
          "rows "
              + Arrays.toString(rows.shape())
              + " and "
              + count
              + " components, expected a matrix [N, D] with rows, and at least 1");
    }
    long n = rows.size(0);
    long taken = Math.min(n, ROWS);
    long[] chosen = new long[(int) taken];
    Arrays.setAll(chosen, i -> i * n / taken);
    try (INDArray all = rows.castTo(DataType.DOUBLE).dup('c');
        INDArray some = all.get(NDArrayIndex.indices(chosen)).dup('c');
        INDArray mean = some.mean(0)) {
      some.subiRowVector(mean);
      all.subiRowVector(mean);
      return along(all, some, count);
    }
  }

  private static PrincipalComponents along(INDArray all, INDArray some, int count) {
    // Fortran's order; the eigenvectors overwrite it, and their values ascend.
    INDArray vectors = Nd4j.matmul(some, some, false, true, false).dup('f');
    double length = some.norm2Number().doubleValue();
    double variance = length * length;
    if (!Double.isFinite(variance)) {
      throw new IllegalArgumentException(
          "rows hold NaN, infinite or enormous numbers: have the weights diverged in training?");
    }
    double[] values = Eigen.symmetricGeneralizedEigenvalues(vectors, true).toDoubleVector();
    INDArray coordinates = Nd4j.zeros(DataType.DOUBLE, all.size(0), count);
    double[] shares = new double[count];
    for (int c = 0; c < Math.min(count, values.length); c++) {
      int column = values.length - 1 - c;
      double value = values[column];
      if (!(value > NOTHING * variance) || variance == 0) {
        break;
      }
      shares[c] = value / variance;
      try (INDArray vector = vectors.getColumn(column, true).dup('c');
          INDArray direction = Nd4j.matmul(some, vector, true, false, false);
          INDArray seen = Nd4j.matmul(all, direction, false, false, false)) {
        seen.divi(Math.sqrt(value));
        boolean turned = seen.maxNumber().doubleValue() < -seen.minNumber().doubleValue();
        coordinates.getColumn(c, true).assign(turned ? seen.negi() : seen);
      }
    }
    vectors.close();
    return new PrincipalComponents(coordinates, shares);
  }
}
