package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Problems whose answer is known, and equalities between independent ways to the same answer. */
class SinkhornPropertiesTest {

  @Property(tries = 40)
  void aPermutationIsFoundExactlyAtTinyEpsilon(
      @ForAll @IntRange(min = 1, max = 12) int n, @ForAll long seed) {
    Random random = new Random(seed);
    int[] target = Problems.permutation(n, random);
    INDArray scores = Nd4j.createFromArray(random.doubles((long) n * n, -1, 0).toArray());
    scores = scores.reshape(n, n);
    INDArray expected = Nd4j.zeros(DataType.DOUBLE, n, n);
    for (int i = 0; i < n; i++) {
      scores.putScalar(i, target[i], 0.5);
      expected.putScalar(i, target[i], 1.0 / n);
    }
    TransportPlan plan =
        SinkhornSolver.toTolerance(1e-12, 1000)
            .solve(OptimalTransportProblem.ofScores(scores, 1e-3));
    assertThat(Problems.distance(plan.plan(), expected)).isLessThan(1e-12);
    assertThat(plan.certificate().converged()).isTrue();
  }

  /** s = x + y: the kernel has rank one, and the plan is the product of the marginals at once. */
  @Property(tries = 40)
  void additiveScoresGiveTheProductOfTheMarginals(
      @ForAll @IntRange(min = 1, max = 20) int b,
      @ForAll @IntRange(min = 1, max = 20) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.001, max = 10) double epsilon,
      @ForAll long seed) {
    Random random = new Random(seed);
    INDArray x = Nd4j.createFromArray(random.doubles(b, -1, 1).toArray()).reshape(b, 1);
    INDArray y = Nd4j.createFromArray(random.doubles(k, -1, 1).toArray()).reshape(1, k);
    INDArray scores = Nd4j.zeros(DataType.DOUBLE, b, k).addiColumnVector(x).addiRowVector(y);
    double[] rows = Problems.masses(b, random);
    double[] columns = Problems.masses(k, random);
    TransportPlan plan =
        new SinkhornSolver(1)
            .solve(OptimalTransportProblem.ofScores(scores, epsilon).withMarginals(rows, columns));
    INDArray product =
        Nd4j.createFromArray(rows).reshape(b, 1).mmul(Nd4j.createFromArray(columns).reshape(1, k));
    assertThat(Problems.distance(plan.plan(), product)).isLessThan(1e-10);
    assertThat(plan.certificate().dualityGap()).isCloseTo(0, within(1e-8));
  }

  @Property(tries = 20)
  void aDiracSendsEverythingToItsPointAndChangesNothingElse(
      @ForAll @IntRange(min = 1, max = 10) int b,
      @ForAll @IntRange(min = 1, max = 10) int k,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[] dirac = new double[k];
    int at = random.nextInt(k);
    dirac[at] = 1;
    double[] rows = Problems.masses(b, random);
    TransportPlan plan =
        new SinkhornSolver(2)
            .solve(
                OptimalTransportProblem.ofScores(Problems.cosines(b, k, seed), 0.05)
                    .withMarginals(rows, dirac));
    INDArray expected = Nd4j.zeros(DataType.DOUBLE, b, k);
    expected.putColumn(at, Nd4j.createFromArray(rows));
    assertThat(Problems.distance(plan.plan(), expected)).isLessThan(1e-12);
    assertThat(plan.certificate().rowResidual()).isLessThan(1e-12);
  }

  @Property(tries = 20)
  void pointsOfNoMassChangeNothing(@ForAll @IntRange(min = 2, max = 9) int n, @ForAll long seed) {
    Random random = new Random(seed);
    INDArray scores = Problems.cosines(n, n + 1, seed);
    double[] rows = new double[n];
    System.arraycopy(Problems.masses(n - 1, random), 0, rows, 0, n - 1);
    double[] columns = new double[n + 1];
    System.arraycopy(Problems.masses(n, random), 0, columns, 1, n);
    OptimalTransportProblem padded =
        OptimalTransportProblem.ofScores(scores, 0.1).withMarginals(rows, columns);
    INDArray inner =
        scores.get(NDArrayIndex.interval(0, n - 1), NDArrayIndex.interval(1, n + 1)).dup();
    OptimalTransportProblem bare =
        OptimalTransportProblem.ofScores(inner, 0.1)
            .withMarginals(
                java.util.Arrays.copyOf(rows, n - 1),
                java.util.Arrays.copyOfRange(columns, 1, n + 1));
    SinkhornSolver solver = new SinkhornSolver(5);
    INDArray whole = solver.solve(padded).plan();
    assertThat(whole.sumNumber().doubleValue()).isCloseTo(1, within(1e-9));
    assertThat(
            Problems.distance(
                whole.get(NDArrayIndex.interval(0, n - 1), NDArrayIndex.interval(1, n + 1)),
                solver.solve(bare).plan()))
        .isLessThan(1e-12);
  }

  @Property(tries = 40)
  void kernelFormEqualsLogDomain(
      @ForAll @IntRange(min = 1, max = 30) int b,
      @ForAll @IntRange(min = 1, max = 30) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.04, max = 1) double epsilon,
      @ForAll @IntRange(min = 1, max = 20) int iterations,
      @ForAll long seed) {
    OptimalTransportProblem problem =
        OptimalTransportProblem.ofScores(Problems.cosines(b, k, seed), epsilon);
    SinkhornSolver solver = new SinkhornSolver(iterations);
    TransportPlan kernel = solver.withForm(Form.KERNEL).solve(problem);
    TransportPlan log = solver.withForm(Form.LOG_DOMAIN).solve(problem);
    assertThat(Problems.distance(kernel.plan(), log.plan())).isLessThan(1e-13);
    assertThat(Problems.distance(kernel.f(), log.f())).isLessThan(1e-12);
    assertThat(Problems.distance(kernel.g(), log.g())).isLessThan(1e-12);
    assertThat(kernel.certificate().logDomain()).isFalse();
    assertThat(log.certificate().logDomain()).isTrue();
  }

  @Property(tries = 30)
  void theDualityGapIsNeverNegativeAndVanishes(
      @ForAll @IntRange(min = 1, max = 15) int b,
      @ForAll @IntRange(min = 1, max = 15) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.02, max = 1) double epsilon,
      @ForAll long seed) {
    Random random = new Random(seed);
    OptimalTransportProblem problem =
        OptimalTransportProblem.ofScores(Problems.cosines(b, k, seed), epsilon)
            .withMarginals(Problems.masses(b, random), Problems.masses(k, random));
    for (int iterations = 1; iterations <= 64; iterations *= 4) {
      Certificate c = new SinkhornSolver(iterations).solve(problem).certificate();
      assertThat(c.dualityGap()).isGreaterThan(-1e-12);
      assertThat(c.rowResidual()).isLessThan(1e-12);
    }
    Certificate end = SinkhornSolver.toTolerance(1e-10, 100_000).solve(problem).certificate();
    assertThat(end.converged()).isTrue();
    assertThat(end.columnResidual()).isLessThanOrEqualTo(1.01e-10);
    assertThat(end.dualityGap()).isBetween(-1e-12, 1e-8);
  }

  @Property(tries = 20)
  void shardsTogetherGiveThePlanOfTheWhole(
      @ForAll @IntRange(min = 1, max = 4) int shards,
      @ForAll @IntRange(min = 1, max = 6) int rowsPerShard,
      @ForAll @IntRange(min = 1, max = 12) int k,
      @ForAll Form form,
      @ForAll long seed)
      throws Exception {
    int b = shards * rowsPerShard;
    INDArray scores = Problems.cosines(b, k, seed);
    SinkhornSolver solver = new SinkhornSolver(3).withForm(form);
    TransportPlan whole = solver.solve(OptimalTransportProblem.ofScores(scores, 0.05));
    double[] rows = new double[rowsPerShard];
    java.util.Arrays.fill(rows, 1.0 / b);
    double[] columns = new double[k];
    java.util.Arrays.fill(columns, 1.0 / k);
    List<Reduction> reductions = Reduction.shards(shards);
    List<Callable<TransportPlan>> tasks = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      Reduction reduction = reductions.get(i);
      INDArray part = rows(scores, i * rowsPerShard, rowsPerShard);
      tasks.add(
          () ->
              solver.solve(
                  OptimalTransportProblem.ofScores(part, 0.05).withMarginals(rows, columns),
                  reduction));
    }
    List<TransportPlan> parts = Problems.together(tasks);
    for (int i = 0; i < shards; i++) {
      INDArray expected = rows(whole.plan(), i * rowsPerShard, rowsPerShard);
      Certificate c = parts.get(i).certificate();
      assertThat(Problems.distance(parts.get(i).plan(), expected)).isLessThan(1e-14);
      assertThat(Problems.distance(parts.get(i).g(), whole.g())).isLessThan(1e-13);
      assertThat(c.dualityGap()).isCloseTo(whole.certificate().dualityGap(), within(1e-12));
      assertThat(c.entropy()).isCloseTo(whole.certificate().entropy(), within(1e-12));
    }
  }

  private static INDArray rows(INDArray all, int from, int count) {
    return all.get(NDArrayIndex.interval(from, from + count)).dup();
  }
}
