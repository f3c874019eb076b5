package org.swav4j.model.plan;

/**
 * What an op is told besides its inputs. Only what its {@link OpType} names means anything.
 * Immutable.
 */
public final class Arguments {
  /** Nothing to say. */
  public static final Arguments NONE = new Arguments();

  private int kernel;
  private int stride;
  private int padding;
  private boolean relu;
  private boolean bias;
  private boolean residual;
  private double epsilon;
  private double temperature;
  private long start;
  private int views;
  private int assigning;
  private boolean transposeA;
  private boolean transposeB;
  private NativeOp nativeOp;
  private AllReduce workers = AllReduce.alone();
  private Runnable call;

  private Arguments() {}

  private Arguments(Arguments other) {
    kernel = other.kernel;
    stride = other.stride;
    padding = other.padding;
    relu = other.relu;
    bias = other.bias;
    residual = other.residual;
    epsilon = other.epsilon;
    temperature = other.temperature;
    start = other.start;
    views = other.views;
    assigning = other.assigning;
    transposeA = other.transposeA;
    transposeB = other.transposeB;
    nativeOp = other.nativeOp;
    workers = other.workers;
    call = other.call;
  }

  /** A window. */
  public static Arguments window(int kernel, int stride, int padding) {
    Arguments a = new Arguments();
    a.kernel = kernel;
    a.stride = stride;
    a.padding = padding;
    return a;
  }

  /** Batch norm's epsilon. */
  public static Arguments epsilon(double epsilon) {
    Arguments a = new Arguments();
    a.epsilon = epsilon;
    return a;
  }

  /** The first row of a slice. */
  public static Arguments start(long row) {
    Arguments a = new Arguments();
    a.start = row;
    return a;
  }

  /** Which factors of a product are transposed. */
  public static Arguments transpose(boolean a, boolean b) {
    Arguments arguments = new Arguments();
    arguments.transposeA = a;
    arguments.transposeB = b;
    return arguments;
  }

  /** V views, A of them assigning, at a temperature. */
  public static Arguments prediction(int views, int assigning, double temperature) {
    Arguments a = new Arguments();
    a.views = views;
    a.assigning = assigning;
    a.temperature = temperature;
    return a;
  }

  /** An op of ND4J. */
  public static Arguments of(NativeOp op) {
    Arguments a = new Arguments();
    a.nativeOp = op;
    return a;
  }

  /** Whom to call. */
  public static Arguments call(Runnable listener) {
    Arguments a = new Arguments();
    a.call = listener;
    return a;
  }

  /** The same, with the rectifier fused. */
  public Arguments withRelu() {
    Arguments a = new Arguments(this);
    a.relu = true;
    return a;
  }

  /** The same, with a bias input. */
  public Arguments withBias() {
    Arguments a = new Arguments(this);
    a.bias = true;
    return a;
  }

  /** The same, with a residual input. */
  public Arguments withResidual() {
    Arguments a = new Arguments(this);
    a.residual = true;
    return a;
  }

  /** The same, of a share of those workers' rows. */
  public Arguments over(AllReduce workers) {
    Arguments a = new Arguments(this);
    a.workers = workers;
    return a;
  }

  /** Side of a square window. */
  public int kernel() {
    return kernel;
  }

  /** Of the window, both ways. */
  public int stride() {
    return stride;
  }

  /** Zeros on each side. */
  public int padding() {
    return padding;
  }

  /** Whether a rectifier follows (or, going back, preceded). */
  public boolean relu() {
    return relu;
  }

  /** Whether a convolution has a bias input. */
  public boolean bias() {
    return bias;
  }

  /** Whether a convolution has a residual input. */
  public boolean residual() {
    return residual;
  }

  /** Added to batch norm's variance. */
  public double epsilon() {
    return epsilon;
  }

  /** The swapped prediction's, τ. */
  public double temperature() {
    return temperature;
  }

  /** First row. */
  public long start() {
    return start;
  }

  /** V. */
  public int views() {
    return views;
  }

  /** A. */
  public int assigning() {
    return assigning;
  }

  /** Whether the left factor is transposed. */
  public boolean transposeA() {
    return transposeA;
  }

  /** Whether the right factor is transposed. */
  public boolean transposeB() {
    return transposeB;
  }

  /**
   * Who have as many rows each of one batch; {@link AllReduce#alone} unless {@link #synchronised}.
   */
  public AllReduce workers() {
    return workers;
  }

  /**
   * Whether the rows are a share of the {@link #workers}' batch, whose moments batch norm takes.
   */
  public boolean synchronised() {
    return workers.size() > 1 || workers.isExact();
  }

  /**
   * Whether a row must get the same result to the last bit however many {@link #workers} there are:
   * an engine that chooses an algorithm by the number of rows takes that of all workers.
   */
  public boolean isExact() {
    return workers.isExact();
  }

  /** Who is told; null but for {@link OpType#FINAL}. */
  public Runnable call() {
    return call;
  }

  /** What ND4J runs; null but for {@link OpType#ND4J}. */
  public NativeOp nativeOp() {
    return nativeOp;
  }
}
