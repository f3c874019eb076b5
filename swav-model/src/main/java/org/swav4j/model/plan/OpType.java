package org.swav4j.model.plan;

/**
 * What an op of a plan computes. Letters: x input, y output, dy the loss's gradient with respect to
 * y. Every engine knows every type.
 */
public enum OpType {
  /**
   * (x [N,C,H,W], w [kH,kW,C,O] (, bias [O]) (, residual [N,O,H',W'])) → y [N,O,H',W']. The bias is
   * there if {@link Arguments#bias()}, the residual is added before the activation if {@link
   * Arguments#residual()}; both only in inference.
   */
  CONV2D,
  /** (x, w, dy) → (dx, dw). Either may have no reader; then it need not be computed. */
  CONV2D_BP,
  /**
   * Training: (x [N,C,...], gamma [C], beta [C]) → (y, mean [C], variance [C]), the variance
   * biased; epsilon is {@link Arguments#epsilon()}; y = relu(...) if {@link Arguments#relu()}. Mean
   * and variance are over the rows of all {@link Arguments#workers()}.
   */
  BATCH_NORM,
  /**
   * (x, gamma, beta, mean, variance, dy, y) → (dx, dgamma, dbeta), through the batch statistics. If
   * {@link Arguments#relu()} dy is first masked with y &gt; 0; otherwise y is absent. With several
   * {@link Arguments#workers()} dx is that through the statistics of all rows, to which every
   * worker's loss adds; dgamma and dbeta are sums over this worker's own rows.
   */
  BATCH_NORM_BP,
  /**
   * (x, gamma, beta, mean, variance) → y of an earlier {@link #BATCH_NORM} on the same x, from the
   * statistics it found.
   */
  BATCH_NORM_RECOMPUTED,
  /** x → max(x, 0). */
  RELU,
  /** (y, dy) → dy where y &gt; 0, else 0. */
  RELU_BP,
  /**
   * (a, b) → a + b; b has a's shape, or is a row [M] added to every row of a [N, M]. With {@link
   * Arguments#relu()} max(a + b, 0).
   */
  ADD,
  /** x [N,C,H,W] → y, window, stride and padding in the arguments; padding never wins. */
  MAX_POOL,
  /** (x, dy) → dx. */
  MAX_POOL_BP,
  /** x [N,C,H,W] → [N,C], the mean over H and W. */
  GLOBAL_MEAN,
  /** dy [N,C] → dx [N,C,H,W] = dy / (H·W). */
  GLOBAL_MEAN_BP,
  /** Matrices with equally many columns → one, below each other. */
  CONCAT_ROWS,
  /** x [N, M] → its rows from {@link Arguments#start()} on, as many as the output has. */
  ROWS,
  /** (a, b) → a·b, each transposed first if the arguments say so. */
  MATMUL,
  /** x [N, M] → [M], the sum over rows. */
  COLUMN_SUM,
  /** x [N, D] → x / max(‖x‖, 1e-12) row by row. */
  NORMALIZE_ROWS,
  /** (x, y, dy) → dx of {@link #NORMALIZE_ROWS}. */
  NORMALIZE_ROWS_BP,
  /**
   * (scores [V·B, K], codes [A·B, K]) → (loss [], dscores [V·B, K]): the swapped prediction, and
   * its gradient. V is {@link Arguments#views()}, A {@link Arguments#assigning()}, the temperature
   * {@link Arguments#temperature()}.
   */
  SWAPPED_PREDICTION,
  /**
   * v → nothing: calls {@link Arguments#call()}, to whom v is final: no op behind it touches v's
   * memory. See {@link AnnounceResults}.
   */
  FINAL,
  /**
   * {@link Arguments#nativeOp()}, run by ND4J whatever the engine: for all that has no type of its
   * own. Its values may be of any type; those of the others are floating-point numbers.
   */
  ND4J
}
