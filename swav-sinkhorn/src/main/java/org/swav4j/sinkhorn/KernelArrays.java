package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The kernel form as ND4J operations: v = b / (uᵀ K), u = a / (K v), two products of matrix and
 * vector an iteration.
 *
 * <p>K is not exp((s - centre) / epsilon) but that with each row divided by its sum w: a softmax,
 * which back ends compute several times faster than exponentials (oneDNN on the CPU, 0.7 ms instead
 * of 3.7 at 256x3000 on one core). A factor of a row is a change of the unit of u, so the plan is
 * the same if u begins with w instead of 1.
 */
final class KernelArrays implements ArraySinkhorn.ArrayForm {
  private final INDArray kernel;
  private final INDArray cube;
  private final INDArray u;
  private final INDArray uRow;
  private final INDArray v;
  private final INDArray vColumn;
  private final INDArray rowSums;
  private final INDArray sums;
  private final INDArray product;
  private final INDArray a;
  private final INDArray b;
  private double epsilon;
  private double centre;
  private Reduction reduction;

  KernelArrays(int rows, int columns, DataType type) {
    kernel = Nd4j.createUninitialized(type, rows, columns);
    // ND4J hands a softmax of three dimensions to oneDNN, but none of two.
    cube = kernel.reshape(rows, 1, columns);
    u = Nd4j.createUninitialized(type, rows, 1);
    uRow = u.reshape(1, rows);
    v = Nd4j.createUninitialized(type, 1, columns);
    vColumn = v.reshape(columns, 1);
    rowSums = Nd4j.createUninitialized(type, rows, 1);
    sums = Nd4j.createUninitialized(type, 1, columns);
    product = Nd4j.createUninitialized(type, 1, columns);
    a = Nd4j.createUninitialized(type, rows, 1);
    b = Nd4j.createUninitialized(type, 1, columns);
  }

  boolean fits(INDArray scores, DataType type) {
    return kernel.dataType() == type
        && kernel.rows() == scores.rows()
        && kernel.columns() == scores.columns();
  }

  /**
   * Computes the kernel and its column sums.
   *
   * @param centre makes every (s - centre) / epsilon an exponent that the type can hold
   * @return false if a score, of any shard, is a NaN
   */
  boolean begin(
      INDArray scores,
      double centre,
      double[] rowMasses,
      double[] columnMasses,
      double epsilon,
      Reduction reduction) {
    this.epsilon = epsilon;
    this.centre = centre;
    this.reduction = reduction;
    if (rowMasses == null) {
      a.assign(1);
    } else {
      a.assign(Nd4j.createFromArray(rowMasses).reshape(-1, 1));
    }
    b.assign(Nd4j.createFromArray(columnMasses).reshape(1, -1));
    if (centre == 0 && scores.dataType() == kernel.dataType()) {
      scores.divi(epsilon, kernel);
    } else {
      kernel.assign(scores);
      kernel.subi(centre).divi(epsilon);
    }
    if (!numbers()) {
      return false;
    }
    // Any column tells what a row was divided by; none is 0 within the range that Safety allows.
    INDArray first = kernel.getColumn(0, true);
    rowSums.assign(first);
    Transforms.exp(rowSums, false);
    Nd4j.exec(new SoftMax(cube, cube, 2));
    rowSums.divi(first);
    u.assign(rowSums);
    takeSums();
    return true;
  }

  /** Whether the exponents, of all shards, are numbers: oneDNN's softmax makes one of a NaN. */
  private boolean numbers() {
    v.assign(1);
    Nd4j.exec(new Mmul(kernel, vColumn, rowSums, null));
    double[] wrong = {Double.isNaN(rowSums.sumNumber().doubleValue()) ? 1 : 0};
    reduction.max(wrong);
    return wrong[0] == 0;
  }

  private void takeSums() {
    Nd4j.exec(new Mmul(uRow, kernel, sums, null));
    Shards.sum(reduction, sums);
  }

  @Override
  public void columns() {
    b.divi(sums, v);
  }

  @Override
  public boolean rows(boolean more) {
    Nd4j.exec(new Mmul(kernel, vColumn, u, null));
    u.rdivi(a);
    if (more) {
      takeSums();
    }
    return true;
  }

  @Override
  public double columnError() {
    v.muli(sums, product);
    return product.subi(b).norm1Number().doubleValue();
  }

  @Override
  public void write(INDArray plan) {
    long n = kernel.rows();
    INDArray last = kernel;
    INDArray scalings = u;
    if (plan.rows() < n) {
      last = kernel.get(NDArrayIndex.interval(n - plan.rows(), n), NDArrayIndex.all());
      scalings = u.get(NDArrayIndex.interval(n - plan.rows(), n), NDArrayIndex.all());
    }
    INDArray to = plan.dataType() == kernel.dataType() ? plan : last;
    last.muli(scalings, to);
    to.muli(v);
    if (to != plan) {
      plan.assign(to);
    }
  }

  @Override
  public double[] f() {
    INDArray f = Transforms.log(u.castTo(DataType.DOUBLE).divi(rowSums.castTo(DataType.DOUBLE)));
    return f.muli(epsilon).toDoubleVector();
  }

  @Override
  public double[] g() {
    INDArray g = Transforms.log(v.castTo(DataType.DOUBLE));
    return g.muli(epsilon).subi(centre).toDoubleVector();
  }
}
