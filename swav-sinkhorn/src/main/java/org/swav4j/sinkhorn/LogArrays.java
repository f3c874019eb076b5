package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.reduce.same.Max;
import org.nd4j.linalg.api.ops.impl.reduce.same.Sum;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The log domain as ND4J operations: g = ln b - logsumexp of columns of x + f, f = ln a - logsumexp
 * of rows of x + g, with x = s / epsilon.
 *
 * <p>In double whatever the type of the scores: at x = 1000 a float exponent would carry an error
 * of 1e-4 into every entry.
 */
final class LogArrays implements ArraySinkhorn.ArrayForm {
  private final INDArray x;
  private final INDArray work;
  private final INDArray f;
  private final INDArray g;
  private final INDArray rowMaxima;
  private final INDArray rowLogs;
  private final INDArray columnMaxima;
  private final INDArray columnLogs;
  private final INDArray a;
  private final INDArray logA;
  private final INDArray b;
  private final INDArray logB;
  private double epsilon;
  private Reduction reduction;

  LogArrays(int rows, int columns) {
    x = Nd4j.createUninitialized(DataType.DOUBLE, rows, columns);
    work = Nd4j.createUninitialized(DataType.DOUBLE, rows, columns);
    f = column(rows);
    rowMaxima = column(rows);
    rowLogs = column(rows);
    a = column(rows);
    logA = column(rows);
    g = row(columns);
    columnMaxima = row(columns);
    columnLogs = row(columns);
    b = row(columns);
    logB = row(columns);
  }

  private static INDArray column(int length) {
    return Nd4j.createUninitialized(DataType.DOUBLE, length, 1);
  }

  private static INDArray row(int length) {
    return Nd4j.createUninitialized(DataType.DOUBLE, 1, length);
  }

  boolean fits(INDArray scores) {
    return x.rows() == scores.rows() && x.columns() == scores.columns();
  }

  /**
   * Takes the scores and their columns' sums.
   *
   * @return false if a score, of any shard, is not finite
   */
  boolean begin(
      INDArray scores,
      double[] rowMasses,
      double[] columnMasses,
      double epsilon,
      Reduction reduction) {
    this.epsilon = epsilon;
    this.reduction = reduction;
    if (rowMasses == null) {
      a.assign(1);
    } else {
      a.assign(Nd4j.createFromArray(rowMasses).reshape(-1, 1));
    }
    b.assign(Nd4j.createFromArray(columnMasses).reshape(1, -1));
    Transforms.log(logA.assign(a), false);
    Transforms.log(logB.assign(b), false);
    x.assign(scores).divi(epsilon);
    f.assign(0);
    takeSums();
    double[] wrong = {Double.isNaN(columnLogs.sumNumber().doubleValue()) ? 1 : 0};
    reduction.max(wrong);
    return wrong[0] == 0;
  }

  /** ln of the column sums of exp(x + f), over all shards. */
  private void takeSums() {
    x.addi(f, work);
    Nd4j.getExecutioner().exec(new Max(work, columnMaxima, true, 0));
    Shards.max(reduction, columnMaxima);
    Transforms.exp(work.subi(columnMaxima), false);
    Nd4j.getExecutioner().exec(new Sum(work, columnLogs, true, 0));
    Shards.sum(reduction, columnLogs);
    Transforms.log(columnLogs, false).addi(columnMaxima);
  }

  @Override
  public void columns() {
    logB.subi(columnLogs, g);
  }

  @Override
  public boolean rows(boolean more) {
    x.addi(g, work);
    Nd4j.getExecutioner().exec(new Max(work, rowMaxima, true, 1));
    Transforms.exp(work.subi(rowMaxima), false);
    Nd4j.getExecutioner().exec(new Sum(work, rowLogs, true, 1));
    Transforms.log(rowLogs, false).addi(rowMaxima);
    logA.subi(rowLogs, f);
    if (more) {
      takeSums();
    }
    return true;
  }

  @Override
  public double columnError() {
    INDArray columns = columnMaxima;
    g.addi(columnLogs, columns);
    return Transforms.exp(columns, false).subi(b).norm1Number().doubleValue();
  }

  /** Not exp(x + f + g): at a tiny epsilon the sum of such large terms has lost its digits. */
  @Override
  public void write(INDArray plan) {
    x.addi(g, work);
    Transforms.exp(work.subi(rowMaxima), false);
    INDArray sums = rowLogs;
    Nd4j.getExecutioner().exec(new Sum(work, sums, true, 1));
    work.muli(sums.rdivi(a));
    long n = work.rows();
    plan.assign(work.get(NDArrayIndex.interval(n - plan.rows(), n), NDArrayIndex.all()));
  }

  @Override
  public double[] f() {
    return f.mul(epsilon).toDoubleVector();
  }

  @Override
  public double[] g() {
    return g.mul(epsilon).toDoubleVector();
  }
}
