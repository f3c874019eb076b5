package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The eager operations, fused and by ND4J alone. */
class NDSinkhornTest {
  private final NDSinkhorn sinkhorn = new NDSinkhorn();

  /** Epsilons of all three: float kernel, double kernel, log domain. */
  @Property(tries = 40)
  void operationsEqualTheFusedKernel(
      @ForAll @IntRange(min = 1, max = 60) int n,
      @ForAll @IntRange(min = 1, max = 60) int k,
      @ForAll @Scale(5) @DoubleRange(min = 0.0002, max = 0.5) double epsilon,
      @ForAll @IntRange(min = 1, max = 10) int iterations,
      @ForAll long seed) {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      INDArray scores = Problems.cosines(n, k, seed).addi(seed % 3).castTo(type);
      assertThat(
              Problems.distance(
                  sinkhorn.withOperations().codes(scores, epsilon, iterations),
                  sinkhorn.codes(scores, epsilon, iterations)))
          .isLessThan(type == DataType.FLOAT ? 2e-5 : 1e-10);
    }
  }

  /** One instance for all, as its arrays are kept: also for the last rows, and other shapes. */
  @Test
  void anInstanceOfOperationsFollowsShapesTypesAndQueues() {
    SwavCodes fused = new SwavCodes(0.05, 3);
    SwavCodes operations = fused.withOperations();
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT)) {
      for (int[] shape : new int[][] {{9, 7, 9}, {9, 7, 4}, {12, 7, 1}, {9, 30, 9}}) {
        INDArray scores = Problems.cosines(shape[0], shape[1], 3).castTo(type);
        INDArray expected = Nd4j.create(type, shape[2], shape[1]);
        INDArray codes = expected.ulike();
        fused.assign(scores, expected);
        operations.assign(scores, codes);
        assertThat(Problems.distance(codes, expected)).isLessThan(1e-6);
      }
    }
  }

  @Test
  void plansAndPotentialsEqualTheSolversAlsoWithPointsOfNoMass() {
    INDArray scores = Problems.cosines(7, 5, 2);
    double[] a = Problems.masses(7, new Random(1));
    double[] b = Problems.masses(5, new Random(2));
    b[1] += b[3];
    b[3] = 0;
    TransportPlan expected =
        new SinkhornSolver(6)
            .solve(OptimalTransportProblem.ofScores(scores, 0.05).withMarginals(a, b));
    INDArray rows = Nd4j.createFromArray(a);
    INDArray columns = Nd4j.createFromArray(b);
    for (NDSinkhorn each : List.of(sinkhorn, sinkhorn.withOperations())) {
      INDArray plan = each.plan(scores, rows, columns, 0.05, 6);
      INDArray[] potentials = each.potentials(scores, rows, columns, 0.05, 6);
      assertThat(Problems.distance(plan, expected.plan())).isLessThan(1e-13);
      assertThat(Problems.distance(potentials[0], expected.f())).isLessThan(1e-12);
      assertThat(potentials[1].getDouble(3)).isEqualTo(Double.NEGATIVE_INFINITY);
      assertThat(potentials[1].getDouble(1))
          .isBetween(expected.g().getDouble(1) - 1e-12, expected.g().getDouble(1) + 1e-12);
    }
  }

  @Test
  void theErrorOfEveryIterationIsKeptWhereATolerationIsAskedFor() {
    INDArray scores = Problems.cosines(12, 9, 3);
    INDArray a = Nd4j.valueArrayOf(new long[] {12}, 1 / 12.0, DataType.DOUBLE);
    INDArray b = Nd4j.valueArrayOf(new long[] {9}, 1 / 9.0, DataType.DOUBLE);
    for (Form form : Form.values()) {
      for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
        double tolerance = type == DataType.FLOAT ? 1e-5 : 1e-10;
        for (NDSinkhorn each :
            List.of(sinkhorn.withForm(form), sinkhorn.withForm(form).withOperations())) {
          Certificate c =
              each.planToTolerance(scores.castTo(type), a, b, 0.05, tolerance, 1000).certificate();
          assertThat(c.converged()).isTrue();
          assertThat(c.errors()).hasSize(c.iterations()).hasSizeGreaterThan(5);
          assertThat(c.errors().get(c.iterations() - 1)).isLessThanOrEqualTo(tolerance);
          assertThat(c.errors().subList(0, c.iterations() - 1)).allMatch(e -> e > tolerance);
          for (int n : new int[] {1, 4}) {
            // That of a solver that stops there.
            TransportPlan early =
                new SinkhornSolver(n).solve(OptimalTransportProblem.ofScores(scores, 0.05));
            assertThat(early.certificate().errors()).isEmpty();
            assertThat(c.errors().get(n - 1))
                .isBetween(
                    early.certificate().columnResidual() - 2e-6,
                    early.certificate().columnResidual() + 2e-6);
          }
        }
      }
    }
  }

  /** Scores so far apart that shards alone would take different forms. */
  @Test
  void shardsOfOperationsTogetherGiveTheCodesOfTheWhole() throws Exception {
    for (double epsilon : new double[] {0.05, 0.01, 0.001}) {
      INDArray scores = Problems.cosines(10, 6, 1).castTo(DataType.FLOAT);
      scores.get(NDArrayIndex.interval(0, 5)).muli(0.1);
      INDArray whole = sinkhorn.withOperations().codes(scores, epsilon, 3);
      List<Reduction> reductions = Reduction.shards(2);
      List<Callable<INDArray>> tasks =
          List.of(
              () -> shard(scores, 0, epsilon, reductions.get(0)),
              () -> shard(scores, 5, epsilon, reductions.get(1)));
      INDArray together = Nd4j.vstack(Problems.together(tasks));
      assertThat(Problems.distance(together, whole)).isLessThan(1e-6);
    }
  }

  private static INDArray shard(INDArray scores, int from, double epsilon, Reduction reduction) {
    INDArray part = scores.get(NDArrayIndex.interval(from, from + 5)).dup();
    INDArray codes = part.ulike();
    new SwavCodes(epsilon, 3).withOperations().withReduction(reduction).assign(part, codes);
    return codes;
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void operationsNameTheFirstScoreThatIsNotFinite(double bad) {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      for (double epsilon : new double[] {0.05, 0.01, 0.001}) {
        for (int[] at : new int[][] {{0, 0}, {17, 32}, {19, 1}}) {
          INDArray scores = Problems.cosines(20, 33, 1).castTo(type);
          scores.putScalar(at[0], at[1], bad);
          assertThatThrownBy(() -> sinkhorn.withOperations().codes(scores, epsilon, 3))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("scores[" + at[0] + ", " + at[1] + "] is " + bad);
        }
      }
    }
  }

  @Test
  void refusesMarginalsThatAreNoVectors() {
    INDArray scores = Problems.cosines(4, 3, 1);
    INDArray columns = Nd4j.ones(DataType.DOUBLE, 3);
    assertThatThrownBy(() -> sinkhorn.plan(scores, Nd4j.ones(2, 2), columns, 0.05, 3))
        .hasMessageContaining("row marginal has shape [2, 2]");
    assertThatThrownBy(() -> sinkhorn.plan(scores, null, columns, 0.05, 3))
        .hasMessageContaining("row marginal is null");
  }
}
