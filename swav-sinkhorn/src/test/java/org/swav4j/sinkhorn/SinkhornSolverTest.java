package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.testing.Golden;

class SinkhornSolverTest {
  private final OptimalTransportProblem problem =
      OptimalTransportProblem.ofScores(Problems.cosines(6, 4, 1), 0.05);

  /** The recorded link between the two: codes after many iterations are B times the plan. */
  @Test
  void codesAreTheSampleCountTimesThePlan() {
    var limit = Golden.file("entropic_ot").getAsJsonObject("swav_limit");
    INDArray scores = Golden.array(limit.get("scores"), DataType.DOUBLE);
    double epsilon = limit.get("eps").getAsDouble();
    INDArray expected = Golden.array(limit.get("B_times_plan_f64"), DataType.DOUBLE);
    INDArray codes = Nd4j.create(DataType.DOUBLE, scores.shape());
    new SwavCodes(epsilon, 5000).assign(scores, codes);
    INDArray plan =
        SinkhornSolver.toTolerance(1e-13, 100_000)
            .solve(OptimalTransportProblem.ofScores(scores, epsilon))
            .plan();
    assertThat(Problems.distance(codes, expected)).isLessThan(1e-9);
    assertThat(Problems.distance(plan.mul(scores.rows()), expected)).isLessThan(1e-9);
  }

  @Test
  void saysThatItDidNotConvergeWhenTheLimitCameFirst() {
    Certificate c = SinkhornSolver.toTolerance(1e-14, 2).solve(problem).certificate();
    assertThat(c.converged()).isFalse();
    assertThat(c.iterations()).isEqualTo(2);
    assertThat(c.columnResidual()).isGreaterThan(1e-14);
  }

  @Test
  void costsAreScoresNegated() {
    INDArray scores = problem.scores();
    INDArray plan = new SinkhornSolver(3).solve(problem).plan();
    INDArray same =
        new SinkhornSolver(3).solve(OptimalTransportProblem.ofCosts(scores.neg(), 0.05)).plan();
    assertThat(Problems.distance(plan, same)).isZero();
  }

  @Test
  void takesTheLogDomainExactlyWhereTheRangeAsksForIt() {
    INDArray scores = Nd4j.createFromArray(new double[][] {{0, 1}, {1, 0}});
    SinkhornSolver solver = new SinkhornSolver(3);
    for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
      double limit = Safety.limit(type);
      INDArray s = scores.castTo(type);
      assertThat(
              solver
                  .solve(OptimalTransportProblem.ofScores(s, 1.01 / limit))
                  .certificate()
                  .logDomain())
          .isFalse();
      assertThat(
              solver
                  .solve(OptimalTransportProblem.ofScores(s, 0.99 / limit))
                  .certificate()
                  .logDomain())
          .isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void refusesATolerancethatIsNoPositiveNumber(double tolerance) {
    assertThatThrownBy(() -> SinkhornSolver.toTolerance(tolerance, 10))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tolerance is " + tolerance);
  }

  @Test
  void refusesMarginalsThatCannotBeMet() {
    double[] rows = {1, 1, 1, 1, 1, 1};
    assertThatThrownBy(() -> problem.withMarginals(rows, new double[] {1, 2, 3}))
        .hasMessageContaining("column marginal has 3 entries, expected 4");
    assertThatThrownBy(() -> problem.withMarginals(rows, new double[] {1, 2, -3, 6}))
        .hasMessageContaining("column marginal[2] is -3.0");
    assertThatThrownBy(() -> problem.withMarginals(rows, new double[4]))
        .hasMessageContaining("0 everywhere");
    OptimalTransportProblem unequal = problem.withMarginals(rows, new double[] {1, 2, 3, 1});
    assertThatThrownBy(() -> new SinkhornSolver(3).solve(unequal))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("6.0")
        .hasMessageContaining("7.0");
  }

  @Test
  void refusesScoresThatAreNotFinite() {
    INDArray scores = Nd4j.createFromArray(new double[][] {{0, 1}, {Double.NaN, 0}});
    assertThatThrownBy(() -> OptimalTransportProblem.ofScores(scores, 0.05))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("scores[1, 0] is NaN");
  }

  @Test
  void refusesAnEpsilonOfZero() {
    assertThatThrownBy(() -> OptimalTransportProblem.ofScores(problem.scores(), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("epsilon is 0.0");
  }
}
