package org.swav4j.sinkhorn;

import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * SwAV's codes (arXiv 2006.09882, eq. 3-5 and algorithm 1): soft assignments of samples to
 * prototypes that spread the batch evenly over the prototypes.
 *
 * <p>Each iteration scales every prototype's column to N/K, then every sample's row to 1, starting
 * from exp(scores/epsilon). Rows therefore sum to 1; columns come close to N/K as the iterations
 * grow. With a queue, its scores are the first rows, and only the codes of the batch behind them
 * are handed out:
 *
 * <pre>{@code
 * SwavCodes solver = new SwavCodes(0.05, 3);
 * solver.assign(scores, codes); // scores [N, K], codes [B, K], B <= N
 * }</pre>
 *
 * <p>Arrays in host memory are solved by a fused kernel; start Java with {@code --add-modules
 * jdk.incubator.vector} for its fast form. Float codes are within 2e-5 of exact ones at any
 * epsilon.
 *
 * <p>An instance keeps its work space, so that after the first call for a shape nothing is
 * allocated. Not thread-safe: one instance per thread.
 */
public final class SwavCodes {
  private final double epsilon;
  private final Form form;
  private final Reduction reduction;
  private final int threads;
  private final boolean operations;
  private final FloatKernels kernels;
  private final Iterations stop;

  private final HostMatrix hostScores = new HostMatrix();
  private final HostMatrix hostCodes = new HostMatrix();
  private final FloatSinkhorn inFloat;
  private final DoubleSinkhorn inDouble = new DoubleSinkhorn();
  private final ArraySinkhorn inArrays = new ArraySinkhorn();
  private final RowSoftmax softmax = new RowSoftmax();
  private final double[] total = new double[1];
  private double[] columns = {};

  // Made once, so that a call allocates nothing.
  private final BooleanSupplier balanced = this::balance;
  private final BooleanSupplier unbalanced = this::normalise;

  /**
   * @param epsilon weight of the entropy, 0.05 for cosine scores; the lower, the harder the codes
   * @param iterations column-and-row updates, 3 in SwAV
   * @throws IllegalArgumentException if epsilon is not a finite number above 0 or iterations below
   *     1
   */
  public SwavCodes(double epsilon, int iterations) {
    this(
        epsilon,
        iterations,
        Form.AUTOMATIC,
        Reduction.whole(),
        Math.min(8, Runtime.getRuntime().availableProcessors()),
        false,
        FloatKernels.best());
  }

  private SwavCodes(
      double epsilon,
      int iterations,
      Form form,
      Reduction reduction,
      int threads,
      boolean operations,
      FloatKernels kernels) {
    Checks.epsilon(epsilon);
    Checks.iterations(iterations);
    this.epsilon = epsilon;
    this.stop = new Iterations(iterations, Double.NaN);
    this.form = form;
    this.reduction = reduction;
    this.threads = threads;
    this.operations = operations;
    this.kernels = kernels;
    this.inFloat = new FloatSinkhorn(kernels, threads);
  }

  /** The same, held to one form; for measurements. */
  public SwavCodes withForm(Form form) {
    return new SwavCodes(epsilon, stop.limit(), form, reduction, threads, operations, kernels);
  }

  /** The same for one shard of the samples: all shards together get the codes of the whole. */
  public SwavCodes withReduction(Reduction reduction) {
    return new SwavCodes(epsilon, stop.limit(), form, reduction, threads, operations, kernels);
  }

  /**
   * The same with other than the default number of threads, all processors but at most 8. Codes
   * don't depend on it. The helping threads are daemons that all instances share.
   *
   * @throws IllegalArgumentException if {@code threads < 1}
   */
  public SwavCodes withThreads(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + ", expected at least 1");
    }
    return new SwavCodes(epsilon, stop.limit(), form, reduction, threads, operations, kernels);
  }

  /** The same by ND4J operations, as on back ends without host memory; for measurements. */
  public SwavCodes withOperations() {
    return new SwavCodes(epsilon, stop.limit(), form, reduction, threads, true, kernels);
  }

  /** The same by other inner loops than the fastest that this Java runs; for tests. */
  SwavCodes withKernels(FloatKernels kernels) {
    return new SwavCodes(epsilon, stop.limit(), form, reduction, threads, operations, kernels);
  }

  /**
   * Computes the codes of the last B of N samples.
   *
   * @param scores [N, K], FLOAT or DOUBLE: features times prototypes, both L2-normalised; unchanged
   * @param codes [B, K] of the same type, {@code 1 <= B <= N}: overwritten; undefined if refused
   * @throws IllegalArgumentException if shapes or types don't match or a score is not finite
   */
  public void assign(INDArray scores, INDArray codes) {
    check(scores, codes);
    total[0] = scores.rows();
    reduction.sum(total);
    if (columns.length != scores.columns()) {
      columns = new double[scores.columns()];
    }
    Arrays.fill(columns, total[0] / columns.length);
    if (operations || !HostMatrix.canHold(scores)) {
      if (!inArrays.run(scores, null, columns, epsilon, stop, form, reduction)) {
        throw Checks.notFinite(scores);
      }
      inArrays.write(codes);
      return;
    }
    if (!onHost(scores, codes, balanced)) {
      throw Checks.notFinite(scores);
    }
  }

  /**
   * Wraps the arrays and computes one from the other.
   *
   * @return whether the scores are finite; codes are undefined if not
   */
  private boolean onHost(INDArray scores, INDArray codes, BooleanSupplier computation) {
    // Transposed and other scattered arrays cost a copy.
    INDArray from = HostMatrix.holds(scores) ? scores : scores.dup('c');
    INDArray to =
        HostMatrix.holds(codes) ? codes : Nd4j.createUninitialized(codes.dataType(), codes.shape());
    hostScores.wrap(from);
    hostCodes.wrap(to);
    boolean finite = computation.getAsBoolean();
    // The collector would free an array of which only the address is used any more.
    Reference.reachabilityFence(from);
    Reference.reachabilityFence(to);
    if (finite && to != codes) {
      codes.assign(to);
    }
    return finite;
  }

  /**
   * Codes without balancing, for comparison: {@code softmax(scores / epsilon)} of each of the last
   * B of N rows by itself. Nothing spreads them over the prototypes, so a network that predicts
   * them may give all images the same code: it collapses. Other rows and other shards change
   * nothing, but the shards refuse scores together.
   *
   * @param scores [N, K], FLOAT or DOUBLE; unchanged
   * @param codes [B, K] of the same type, {@code 1 <= B <= N}: overwritten; undefined if refused
   * @throws IllegalArgumentException if shapes or types don't match or a score of these rows, of
   *     any shard, is not finite
   */
  public void assignUnbalanced(INDArray scores, INDArray codes) {
    check(scores, codes);
    boolean finite =
        operations || !HostMatrix.canHold(scores)
            ? RowSoftmax.run(scores, epsilon, codes)
            : onHost(scores, codes, unbalanced);
    total[0] = finite ? 0 : 1;
    reduction.max(total);
    if (total[0] > 0) {
      throw Checks.notFinite(scores);
    }
  }

  private static void check(INDArray scores, INDArray codes) {
    Checks.matrix("scores", scores);
    Checks.matrix("codes", codes);
    if (codes.columns() != scores.columns() || codes.rows() > scores.rows()) {
      throw new IllegalArgumentException(
          "codes have shape "
              + Arrays.toString(codes.shape())
              + ", expected [B, "
              + scores.columns()
              + "] with B at most "
              + scores.rows()
              + ": as many prototypes as the scores "
              + Arrays.toString(scores.shape())
              + ", the batch behind the queue");
    }
    DataType type = scores.dataType();
    if (codes.dataType() != type || (type != DataType.FLOAT && type != DataType.DOUBLE)) {
      throw new IllegalArgumentException(
          "scores are "
              + type
              + ", codes "
              + codes.dataType()
              + ", expected both FLOAT or both DOUBLE: cast half-precision scores first, exp(1/0.05)"
              + " is out of their range");
    }
  }

  /** False if a score is not finite. */
  private boolean normalise() {
    return softmax.run(hostScores, epsilon, hostCodes);
  }

  /** False if a score is not finite. */
  private boolean balance() {
    if (hostScores.isFloat()) {
      switch (inFloat.run(hostScores, null, columns, epsilon, stop, form, reduction, hostCodes)) {
        case DONE:
          return true;
        case NOT_FINITE:
          return false;
        case NEEDS_DOUBLE:
          break;
      }
    }
    if (!inDouble.run(hostScores, null, columns, epsilon, stop, form, reduction)) {
      return false;
    }
    inDouble.write(hostCodes);
    return true;
  }
}
