package org.swav4j.model.plan;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What an op is told besides its inputs. Only the fields its {@link OpType} names mean anything.
 *
 * @param kernel side of a square window
 * @param stride of the window
 * @param padding zeros on each side
 * @param relu whether a rectifier follows (or, going back, preceded)
 * @param bias whether a convolution has a bias input
 * @param residual whether a convolution has a residual input
 * @param epsilon batch norm's epsilon; the swapped prediction's temperature
 * @param start first row
 * @param views V
 * @param assigning A
 * @param transposeA whether the left factor is transposed
 * @param transposeB whether the right factor is transposed
 * @param nativeOp arguments of a {@link OpType#NATIVE} op, else null
 */
public record Arguments(
    int kernel,
    int stride,
    int padding,
    boolean relu,
    boolean bias,
    boolean residual,
    double epsilon,
    long start,
    int views,
    int assigning,
    boolean transposeA,
    boolean transposeB,
    Native nativeOp) {

  /** Nothing to say. */
  public static final Arguments NONE =
      new Arguments(0, 0, 0, false, false, false, 0, 0, 0, 0, false, false, null);

  /**
   * The arguments of an op as ND4J takes them.
   *
   * @param name ND4J's name of the op
   * @param integers I arguments, with the dimensions of legacy reductions
   * @param reals T arguments
   * @param booleans B arguments
   * @param types D arguments
   */
  public record Native(
      String name,
      List<Long> integers,
      List<Double> reals,
      List<Boolean> booleans,
      List<DataType> types) {}

  /** A window. */
  public static Arguments window(int kernel, int stride, int padding) {
    return new Arguments(
        kernel, stride, padding, false, false, false, 0, 0, 0, 0, false, false, null);
  }

  /** Batch norm's epsilon. */
  public static Arguments epsilon(double epsilon) {
    return new Arguments(0, 0, 0, false, false, false, epsilon, 0, 0, 0, false, false, null);
  }

  /** The first row of a slice. */
  public static Arguments start(long row) {
    return new Arguments(0, 0, 0, false, false, false, 0, row, 0, 0, false, false, null);
  }

  /** Which factors of a product are transposed. */
  public static Arguments transpose(boolean a, boolean b) {
    return new Arguments(0, 0, 0, false, false, false, 0, 0, 0, 0, a, b, null);
  }

  /** V views, A of them assigning, at a temperature. */
  public static Arguments prediction(int views, int assigning, double temperature) {
    return new Arguments(
        0, 0, 0, false, false, false, temperature, 0, views, assigning, false, false, null);
  }

  /** An op as ND4J knows it. */
  public static Arguments of(Native op) {
    return new Arguments(0, 0, 0, false, false, false, 0, 0, 0, 0, false, false, op);
  }

  /** The same, with the rectifier fused. */
  public Arguments withRelu() {
    return new Arguments(
        kernel,
        stride,
        padding,
        true,
        bias,
        residual,
        epsilon,
        start,
        views,
        assigning,
        transposeA,
        transposeB,
        nativeOp);
  }

  /** The same, with a bias input. */
  public Arguments withBias() {
    return new Arguments(
        kernel,
        stride,
        padding,
        relu,
        true,
        residual,
        epsilon,
        start,
        views,
        assigning,
        transposeA,
        transposeB,
        nativeOp);
  }

  /** The same, with a residual input. */
  public Arguments withResidual() {
    return new Arguments(
        kernel,
        stride,
        padding,
        relu,
        bias,
        true,
        epsilon,
        start,
        views,
        assigning,
        transposeA,
        transposeB,
        nativeOp);
  }
}
