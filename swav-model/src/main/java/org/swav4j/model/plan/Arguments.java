package org.swav4j.model.plan;

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
    boolean transposeB) {

  /** Nothing to say. */
  public static final Arguments NONE =
      new Arguments(0, 0, 0, false, false, false, 0, 0, 0, 0, false, false);

  /** A window. */
  public static Arguments window(int kernel, int stride, int padding) {
    return new Arguments(kernel, stride, padding, false, false, false, 0, 0, 0, 0, false, false);
  }

  /** Batch norm's epsilon. */
  public static Arguments epsilon(double epsilon) {
    return new Arguments(0, 0, 0, false, false, false, epsilon, 0, 0, 0, false, false);
  }

  /** The first row of a slice. */
  public static Arguments start(long row) {
    return new Arguments(0, 0, 0, false, false, false, 0, row, 0, 0, false, false);
  }

  /** Which factors of a product are transposed. */
  public static Arguments transpose(boolean a, boolean b) {
    return new Arguments(0, 0, 0, false, false, false, 0, 0, 0, 0, a, b);
  }

  /** V views, A of them assigning, at a temperature. */
  public static Arguments prediction(int views, int assigning, double temperature) {
    return new Arguments(
        0, 0, 0, false, false, false, temperature, 0, views, assigning, false, false);
  }

  /** The same, with the rectifier fused. */
  public Arguments withRelu() {
    return fused(true, bias, residual);
  }

  /** The same, with a bias input. */
  public Arguments withBias() {
    return fused(relu, true, residual);
  }

  /** The same, with a residual input. */
  public Arguments withResidual() {
    return fused(relu, bias, true);
  }

  private Arguments fused(boolean newRelu, boolean newBias, boolean newResidual) {
    return new Arguments(
        kernel,
        stride,
        padding,
        newRelu,
        newBias,
        newResidual,
        epsilon,
        start,
        views,
        assigning,
        transposeA,
        transposeB);
  }
}
