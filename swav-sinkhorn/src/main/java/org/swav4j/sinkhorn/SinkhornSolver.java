package org.swav4j.sinkhorn;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.SpecifiedIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Sinkhorn-Knopp: alternately scales the columns to b and the rows to a (columns first, rows last),
 * either a fixed number of times or until the column sums are right.
 *
 * <p>{@code new SinkhornSolver(3).solve(OptimalTransportProblem.ofScores(scores, 0.05))}
 *
 * <p>Works in scaling form on exp(scores/epsilon) where the range of the data allows it to be
 * accurate, in the log domain otherwise (see {@link Certificate#logDomain}). Immutable, may be used
 * by several threads at once.
 */
public final class SinkhornSolver {
  private final Iterations stop;
  private final Form form;
  private final boolean operations;

  private SinkhornSolver(Iterations stop, Form form, boolean operations) {
    this.stop = stop;
    this.form = form;
    this.operations = operations;
  }

  /**
   * A solver that makes exactly this many iterations, as SwAV does.
   *
   * @throws IllegalArgumentException if {@code iterations < 1}
   */
  public SinkhornSolver(int iterations) {
    this(new Iterations(iterations, Double.NaN), Form.AUTOMATIC, false);
    Checks.iterations(iterations);
  }

  /**
   * A solver that stops as soon as the L1 error of the column sums is at most {@code tolerance},
   * and after {@code limit} iterations in any case; {@link Certificate#converged} tells which.
   *
   * @throws IllegalArgumentException if the tolerance is not a positive number or {@code limit < 1}
   */
  public static SinkhornSolver toTolerance(double tolerance, int limit) {
    if (!(tolerance > 0) || Double.isInfinite(tolerance)) {
      throw new IllegalArgumentException(
          "tolerance is " + tolerance + ", expected a finite number above 0, such as 1e-9");
    }
    Checks.iterations(limit);
    return new SinkhornSolver(new Iterations(limit, tolerance), Form.AUTOMATIC, false);
  }

  /** The same solver, held to one form. */
  public SinkhornSolver withForm(Form form) {
    return new SinkhornSolver(stop, form, operations);
  }

  /** The same solver by ND4J operations, as on back ends without host memory. */
  public SinkhornSolver withOperations() {
    return new SinkhornSolver(stop, form, true);
  }

  /**
   * Solves a problem that is in one piece.
   *
   * @throws IllegalArgumentException if the marginals' masses differ, or the kernel form was asked
   *     for where it would lose accuracy
   */
  public TransportPlan solve(OptimalTransportProblem problem) {
    return solve(problem, Reduction.whole());
  }

  /**
   * Solves one shard of a problem whose rows are spread over workers: every worker calls this with
   * its rows, their masses and the whole column marginal, and gets its rows of the plan; potentials
   * g and certificate are those of the whole.
   *
   * @throws IllegalArgumentException as {@link #solve(OptimalTransportProblem)}
   */
  public TransportPlan solve(OptimalTransportProblem problem, Reduction reduction) {
    Potentials found = potentials(problem, reduction);
    INDArray scores = problem.scores().castTo(DataType.DOUBLE);
    INDArray plan = plan(scores, found, problem.epsilon());
    Certificate certificate = certify(problem, scores, plan, found, reduction);
    return new TransportPlan(
        plan.castTo(problem.scores().dataType()),
        Nd4j.createFromArray(found.f()),
        Nd4j.createFromArray(found.g()),
        certificate);
  }

  /** The potentials alone, -infinity where there is no mass. */
  Potentials potentials(OptimalTransportProblem problem, Reduction reduction) {
    double[] a = problem.rowMarginal();
    double[] b = problem.columnMarginal();
    double[] mass = {Arrays.stream(a).sum()};
    reduction.sum(mass);
    double columns = Arrays.stream(b).sum();
    if (Math.abs(mass[0] - columns) > 1e-5 * columns) {
      throw new IllegalArgumentException(
          "row marginal sums to "
              + mass[0]
              + ", column marginal to "
              + columns
              + ", expected equal masses: divide each by its sum");
    }
    int[] rows = support(a);
    int[] cols = support(b);
    INDArray scores = problem.scores();
    boolean all = rows.length == a.length && cols.length == b.length;
    if (!all) {
      scores = scores.get(new SpecifiedIndex(rows), new SpecifiedIndex(cols)).dup('c');
    }
    Potentials found = iterate(scores, at(a, rows), at(b, cols), problem.epsilon(), reduction);
    return new Potentials(
        spread(found.f(), rows, a.length),
        spread(found.g(), cols, b.length),
        found.ending(),
        found.logDomain());
  }

  /** {@code exp((scores + f + g) / epsilon)} of scores in double. */
  static INDArray plan(INDArray scores, Potentials found, double epsilon) {
    INDArray plan = scores.addColumnVector(column(found.f()));
    plan.addiRowVector(Nd4j.createFromArray(found.g()).reshape(1, -1));
    return Transforms.exp(plan.divi(epsilon), false);
  }

  private Potentials iterate(
      INDArray scores, double[] a, double[] b, double epsilon, Reduction reduction) {
    if (operations || !HostMatrix.holds(scores)) {
      ArraySinkhorn solver = new ArraySinkhorn();
      solver.run(scores, a, b, epsilon, stop, form, reduction);
      return solver.potentials();
    }
    HostMatrix host = new HostMatrix();
    host.wrap(scores);
    if (host.isFloat()) {
      FloatSinkhorn solver = new FloatSinkhorn(FloatKernels.best(), 1);
      // A problem's scores are finite: what is left is DONE or NEEDS_DOUBLE.
      if (solver.run(host, a, b, epsilon, stop, form, reduction, null)
          == FloatSinkhorn.Outcome.DONE) {
        return solver.potentials();
      }
    }
    DoubleSinkhorn solver = new DoubleSinkhorn();
    solver.run(host, a, b, epsilon, stop, form, reduction);
    return solver.potentials();
  }

  private static int[] support(double[] mass) {
    return IntStream.range(0, mass.length).filter(i -> mass[i] > 0).toArray();
  }

  private static double[] at(double[] x, int[] indices) {
    return Arrays.stream(indices).mapToDouble(i -> x[i]).toArray();
  }

  private static double[] spread(double[] x, int[] indices, int length) {
    double[] all = new double[length];
    Arrays.fill(all, Double.NEGATIVE_INFINITY);
    for (int i = 0; i < indices.length; i++) {
      all[indices[i]] = x[i];
    }
    return all;
  }

  private static Certificate certify(
      OptimalTransportProblem problem,
      INDArray scores,
      INDArray plan,
      Potentials found,
      Reduction reduction) {
    double[] a = problem.rowMarginal();
    double[] b = problem.columnMarginal();
    double epsilon = problem.epsilon();
    double[] rowSums = plan.sum(1).toDoubleVector();
    double[] columnSums = plan.sum(0).toDoubleVector();
    reduction.sum(columnSums);

    // Rounding onto the marginals: shrink rows, then columns, that have too much; spread the rest.
    INDArray feasible = plan.mulColumnVector(column(shrink(a, rowSums)));
    double[] shrunk = feasible.sum(0).toDoubleVector();
    reduction.sum(shrunk);
    feasible.muliRowVector(Nd4j.createFromArray(shrink(b, shrunk)).reshape(1, -1));
    double[] missingRows = missing(a, feasible.sum(1).toDoubleVector());
    double[] left = feasible.sum(0).toDoubleVector();
    reduction.sum(left);
    double[] missingColumns = missing(b, left);
    double rest = Arrays.stream(missingColumns).sum();
    if (rest > 0) {
      feasible.addi(
          column(missingRows).mmul(Nd4j.createFromArray(missingColumns).reshape(1, -1).divi(rest)));
    }

    double[] sums = {
      distance(rowSums, a),
      -plan.mul(scores).sumNumber().doubleValue(),
      entropy(plan),
      -feasible.mul(scores).sumNumber().doubleValue() - epsilon * entropy(feasible),
      dot(found.f(), a),
      Arrays.stream(rowSums).sum(),
      Arrays.stream(a).sum()
    };
    reduction.sum(sums);
    // Lagrangian at P = exp((scores + f + g) / epsilon): f·a + g·b + epsilon (mass - sum P).
    double dual = sums[4] + dot(found.g(), b) + epsilon * (sums[6] - sums[5]);
    return new Certificate(
        sums[0],
        distance(columnSums, b),
        sums[1],
        sums[2],
        sums[3] - dual,
        found.ending().iterations(),
        found.ending().converged(),
        found.ending().errors(),
        found.logDomain());
  }

  private static INDArray column(double[] x) {
    return Nd4j.createFromArray(x).reshape(-1, 1);
  }

  private static double[] shrink(double[] mass, double[] sums) {
    double[] factor = new double[mass.length];
    Arrays.setAll(factor, i -> sums[i] > mass[i] ? mass[i] / sums[i] : 1);
    return factor;
  }

  private static double[] missing(double[] mass, double[] sums) {
    double[] rest = new double[mass.length];
    Arrays.setAll(rest, i -> Math.max(0, mass[i] - sums[i]));
    return rest;
  }

  private static double distance(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += Math.abs(x[i] - y[i]);
    }
    return sum;
  }

  /** Points of mass 0 have potential -infinity and don't count. */
  private static double dot(double[] potential, double[] mass) {
    double sum = 0;
    for (int i = 0; i < mass.length; i++) {
      sum += mass[i] > 0 ? potential[i] * mass[i] : 0;
    }
    return sum;
  }

  private static double entropy(INDArray plan) {
    INDArray log = Transforms.log(Transforms.max(plan, Double.MIN_NORMAL));
    return -log.muli(plan).sumNumber().doubleValue();
  }
}
