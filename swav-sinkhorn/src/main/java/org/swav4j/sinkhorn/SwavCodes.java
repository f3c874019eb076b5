package org.swav4j.sinkhorn;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

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
 * <p>An instance keeps its work space from call to call. Not thread-safe: one instance per thread.
 */
public final class SwavCodes {
  private final double epsilon;
  private final int iterations;
  private final Form form;
  private final Reduction reduction;

  /**
   * @param epsilon weight of the entropy, 0.05 for cosine scores; the lower, the harder the codes
   * @param iterations column-and-row updates, 3 in SwAV
   * @throws IllegalArgumentException if epsilon is not a finite number above 0 or iterations below
   *     1
   */
  public SwavCodes(double epsilon, int iterations) {
    this(epsilon, iterations, Form.AUTOMATIC, Reduction.whole());
  }

  private SwavCodes(double epsilon, int iterations, Form form, Reduction reduction) {
    Checks.epsilon(epsilon);
    Checks.iterations(iterations);
    this.epsilon = epsilon;
    this.iterations = iterations;
    this.form = form;
    this.reduction = reduction;
  }

  /** The same, held to one form; for measurements. */
  public SwavCodes withForm(Form form) {
    return new SwavCodes(epsilon, iterations, form, reduction);
  }

  /** The same for one shard of the samples: all shards together get the codes of the whole. */
  public SwavCodes withReduction(Reduction reduction) {
    return new SwavCodes(epsilon, iterations, form, reduction);
  }

  /**
   * Computes the codes of the last B of N samples.
   *
   * @param scores [N, K], FLOAT or DOUBLE: features times prototypes, both L2-normalised; unchanged
   * @param codes [B, K] of the same type, 1 <= B <= N: overwritten
   * @throws IllegalArgumentException if shapes or types don't match or a score is not finite
   */
  public void assign(INDArray scores, INDArray codes) {
    Checks.matrix("scores", scores);
    Checks.matrix("codes", codes);
    int n = scores.rows();
    int k = scores.columns();
    int b = codes.rows();
    if (codes.columns() != k || b > n) {
      throw new IllegalArgumentException(
          "codes have shape "
              + Arrays.toString(codes.shape())
              + ", expected [B, "
              + k
              + "] with B at most "
              + n
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
    Checks.finite(scores);
    double[] total = {n};
    reduction.sum(total);
    double[] rows = new double[n];
    Arrays.fill(rows, 1);
    double[] columns = new double[k];
    Arrays.fill(columns, total[0] / k);
    Potentials found =
        new NdSinkhorn(scores, rows, columns, epsilon, reduction)
            .run(new Iterations(iterations, Double.NaN), form);
    INDArray last = scores.get(NDArrayIndex.interval(n - b, n)).castTo(DataType.DOUBLE);
    double[] f = Arrays.copyOfRange(found.f(), n - b, n);
    INDArray plan = last.addColumnVector(Nd4j.createFromArray(f).reshape(-1, 1));
    plan.addiRowVector(Nd4j.createFromArray(found.g()).reshape(1, -1)).divi(epsilon);
    codes.assign(Transforms.exp(plan, false));
  }
}
