package org.swav4j.sinkhorn;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Entropic optimal transport: over all plans P [B, K] with row sums a and column sums b, minimise
 * {@code <P, C> - epsilon H(P)} with {@code H(P) = -sum P ln P} (nats) and costs {@code C =
 * -scores} (Cuturi, arXiv 1306.0895, eq. 2).
 *
 * <p>Immutable as long as the caller leaves the score array alone, which is not copied.
 */
public final class OptimalTransportProblem {
  private final INDArray scores;
  private final double[] rowMarginal;
  private final double[] columnMarginal;
  private final double epsilon;

  private OptimalTransportProblem(
      INDArray scores, double[] rowMarginal, double[] columnMarginal, double epsilon) {
    Checks.matrix("scores", scores);
    Checks.epsilon(epsilon);
    this.scores = scores;
    this.rowMarginal = Checks.marginal("row marginal", rowMarginal, scores.rows());
    this.columnMarginal = Checks.marginal("column marginal", columnMarginal, scores.columns());
    this.epsilon = epsilon;
    Checks.finite(scores);
  }

  /**
   * The problem of assigning samples to prototypes by their scores, large is good: uniform
   * marginals 1/B and 1/K.
   *
   * @param scores [B, K], floating point; read, not kept from change
   * @param epsilon weight of the entropy, in the unit of the scores, above 0
   * @throws IllegalArgumentException if the scores are not a finite matrix or epsilon is not a
   *     positive number
   */
  public static OptimalTransportProblem ofScores(INDArray scores, double epsilon) {
    Checks.matrix("scores", scores);
    return new OptimalTransportProblem(
        scores, uniform(scores.rows()), uniform(scores.columns()), epsilon);
  }

  /**
   * The problem of moving mass at least cost, uniform marginals 1/B and 1/K.
   *
   * @param costs [B, K], floating point
   * @param epsilon weight of the entropy, in the unit of the costs, above 0
   * @throws IllegalArgumentException as {@link #ofScores}
   */
  public static OptimalTransportProblem ofCosts(INDArray costs, double epsilon) {
    Checks.matrix("costs", costs);
    return ofScores(costs.neg(), epsilon);
  }

  /**
   * The same scores with other marginals. Points of mass 0 take no part.
   *
   * @param rows [B] masses, none negative; of a shard: its rows' part of the whole
   * @param columns [K] masses, none negative, with the sum of all rows' masses
   * @throws IllegalArgumentException if a length is wrong, a mass negative or not finite, or all
   *     are 0
   */
  public OptimalTransportProblem withMarginals(double[] rows, double[] columns) {
    return new OptimalTransportProblem(scores, rows, columns, epsilon);
  }

  private static double[] uniform(int n) {
    double[] mass = new double[n];
    Arrays.fill(mass, 1.0 / n);
    return mass;
  }

  /** The scores [B, K]; costs negated. */
  public INDArray scores() {
    return scores;
  }

  /** A copy of the row marginal a [B]. */
  public double[] rowMarginal() {
    return rowMarginal.clone();
  }

  /** A copy of the column marginal b [K]. */
  public double[] columnMarginal() {
    return columnMarginal.clone();
  }

  /** The weight of the entropy. */
  public double epsilon() {
    return epsilon;
  }
}
