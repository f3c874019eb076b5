package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Sinkhorn's iterations as eager operations on arrays, in the manner of ND4J's own namespaces such
 * as {@code Nd4j.math()}. {@link SDSinkhorn} has the same operations for graphs.
 *
 * <pre>{@code
 * NDSinkhorn sinkhorn = new NDSinkhorn();
 * INDArray codes = sinkhorn.codes(scores, 0.05, 3);
 * INDArray plan = sinkhorn.plan(scores, rowMarginal, columnMarginal, 0.05, 100);
 * }</pre>
 *
 * <p>Arrays in host memory are solved by the fused kernel of {@link SwavCodes}. On any other back
 * end the same is done by ND4J operations, and nothing is brought to Java during the iterations
 * (but for one number each, where a tolerance is asked for).
 *
 * <p>An instance keeps the work space of its last call; results are new arrays. Not thread-safe:
 * one instance per thread.
 */
public final class NDSinkhorn {
  private final Form form;
  private final boolean operations;
  private SwavCodes solver;
  private double epsilon;
  private int iterations;

  /** The form is taken that the range of the scores allows. */
  public NDSinkhorn() {
    this(Form.AUTOMATIC, false);
  }

  private NDSinkhorn(Form form, boolean operations) {
    this.form = form;
    this.operations = operations;
  }

  /** The same operations, held to one form. */
  public NDSinkhorn withForm(Form form) {
    return new NDSinkhorn(form, operations);
  }

  /** The same by ND4J operations on every back end, also where the fused kernel could be taken. */
  public NDSinkhorn withOperations() {
    return new NDSinkhorn(form, true);
  }

  /**
   * SwAV's codes (arXiv 2006.09882, eq. 3-5): in turn scales columns to B/K and rows to 1.
   *
   * @param scores [B, K], FLOAT or DOUBLE: features times prototypes, both L2-normalised; unchanged
   * @param epsilon weight of the entropy, in the unit of the scores; 0.05 is usual for cosines
   * @param iterations column-and-row updates, 3 in SwAV
   * @return codes [B, K] of the scores' type, each row with sum 1
   * @throws IllegalArgumentException if the scores are no finite matrix of FLOAT or DOUBLE, epsilon
   *     is not a finite number above 0, or iterations is below 1
   */
  public INDArray codes(INDArray scores, double epsilon, int iterations) {
    if (solver == null || epsilon != this.epsilon || iterations != this.iterations) {
      SwavCodes made = new SwavCodes(epsilon, iterations).withForm(form);
      solver = operations ? made.withOperations() : made;
      this.epsilon = epsilon;
      this.iterations = iterations;
    }
    Checks.matrix("scores", scores);
    INDArray codes = Nd4j.createUninitialized(scores.dataType(), scores.shape());
    solver.assign(scores, codes);
    return codes;
  }

  /**
   * The plan after a fixed number of iterations, with marginals of any kind.
   *
   * @param scores [B, K], floating point, large is good; unchanged
   * @param rowMarginal [B] masses, none negative
   * @param columnMarginal [K] masses, none negative, with the same sum
   * @param epsilon weight of the entropy, in the unit of the scores
   * @param iterations column-and-row updates
   * @return the plan [B, K] of the scores' type; its rows sum to the row marginal
   * @throws IllegalArgumentException if scores or masses are not finite, lengths or sums don't
   *     match, epsilon is not above 0, or iterations is below 1
   */
  public INDArray plan(
      INDArray scores,
      INDArray rowMarginal,
      INDArray columnMarginal,
      double epsilon,
      int iterations) {
    OptimalTransportProblem problem = problem(scores, rowMarginal, columnMarginal, epsilon);
    Potentials found = fixed(iterations).potentials(problem, Reduction.whole());
    INDArray plan = SinkhornSolver.plan(scores.castTo(DataType.DOUBLE), found, epsilon);
    return plan.castTo(scores.dataType());
  }

  /**
   * The dual potentials after a fixed number of iterations: {@code plan = exp((scores + f + g) /
   * epsilon)}. Parameters and errors as {@link #plan}.
   *
   * @return f [B] and g [K], double, in the unit of the scores; -infinity where there is no mass
   */
  public INDArray[] potentials(
      INDArray scores,
      INDArray rowMarginal,
      INDArray columnMarginal,
      double epsilon,
      int iterations) {
    OptimalTransportProblem problem = problem(scores, rowMarginal, columnMarginal, epsilon);
    Potentials found = fixed(iterations).potentials(problem, Reduction.whole());
    return new INDArray[] {Nd4j.createFromArray(found.f()), Nd4j.createFromArray(found.g())};
  }

  /**
   * Iterates until the L1 error of the column sums is at most {@code tolerance}, or {@code limit}
   * times. Other parameters and errors as {@link #plan}.
   *
   * @return plan, potentials and the evidence, with the error after each iteration
   * @throws IllegalArgumentException also if tolerance is not above 0 or limit is below 1
   */
  public TransportPlan planToTolerance(
      INDArray scores,
      INDArray rowMarginal,
      INDArray columnMarginal,
      double epsilon,
      double tolerance,
      int limit) {
    SinkhornSolver solver = SinkhornSolver.toTolerance(tolerance, limit).withForm(form);
    OptimalTransportProblem problem = problem(scores, rowMarginal, columnMarginal, epsilon);
    return (operations ? solver.withOperations() : solver).solve(problem);
  }

  private SinkhornSolver fixed(int iterations) {
    SinkhornSolver solver = new SinkhornSolver(iterations).withForm(form);
    return operations ? solver.withOperations() : solver;
  }

  private static OptimalTransportProblem problem(
      INDArray scores, INDArray rowMarginal, INDArray columnMarginal, double epsilon) {
    return OptimalTransportProblem.ofScores(scores, epsilon)
        .withMarginals(
            Checks.vector("row marginal", rowMarginal),
            Checks.vector("column marginal", columnMarginal));
  }
}
