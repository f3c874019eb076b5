package org.swav4j.benchmarks.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.apache.commons.math3.stat.interval.ConfidenceInterval;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expected numbers are SciPy's (1.17): stats.t.interval, binomtest, NumPy's trapezoid, interp. */
class StatisticsTest {
  @Test
  void pairedIntervalEqualsScipys() {
    PairedDifference five = PairedDifference.of(new double[] {1.5, -0.4, 2.2, 0.9, 3.1});
    assertThat(five.mean() - five.half()).isCloseTo(-0.1839743873355144, within(1e-9));
    assertThat(five.mean() + five.half()).isCloseTo(3.103974387335515, within(1e-9));
    assertThat(five.verdict()).isEqualTo(PairedDifference.Verdict.NOT_SHOWN);
  }

  @Test
  void verdictFollowsTheSideOfZeroOnWhichTheIntervalLies() {
    double[] differences = {0.031, 0.052, 0.044};
    PairedDifference three = PairedDifference.of(differences);
    assertThat(three.mean() - three.half()).isCloseTo(0.01600459847572427, within(1e-9));
    assertThat(three.verdict()).isEqualTo(PairedDifference.Verdict.SHOWN);
    PairedDifference opposite = PairedDifference.of(new double[] {-0.031, -0.052, -0.044});
    assertThat(opposite.verdict()).isEqualTo(PairedDifference.Verdict.REFUTED);
  }

  @Test
  void fewerThanThreeSeedsGiveNoVerdict() {
    double[] alike = {9, 9.1, 9.2};
    for (int seeds = 1; seeds < alike.length; seeds++) {
      assertThat(PairedDifference.of(Arrays.copyOf(alike, seeds)).verdict())
          .isEqualTo(PairedDifference.Verdict.TOO_FEW_SEEDS);
    }
    assertThat(PairedDifference.of(alike).verdict()).isEqualTo(PairedDifference.Verdict.SHOWN);
  }

  @Test
  void differencesThatAreNoNumbersAreRefused() {
    assertThatThrownBy(() -> PairedDifference.of(new double[] {1, Double.NaN}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NaN");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 100, 0, 0.03699349820698568",
    "3, 100, 0.010254524024038925, 0.08451936429052762",
    "5, 20, 0.11186170140766571, 0.468700877618744"
  })
  void wilsonIntervalEqualsScipys(int seen, int n, double low, double high) {
    ConfidenceInterval interval = Wilson.interval(n, seen);
    assertThat(interval.getLowerBound()).isCloseTo(low, within(1e-9));
    assertThat(interval.getUpperBound()).isCloseTo(high, within(1e-9));
  }

  @Test
  void curveEqualsNumpys() {
    double[] x = {0, 1, 2, 4, 8};
    double[] y = {0.2, 0.5, 0.4, 0.6, 0.7};
    assertThat(Curve.meanHeight(x, y)).isCloseTo(0.55, within(1e-12));
    assertThat(Curve.firstReaching(0.55, x, y)).isCloseTo(3.5, within(1e-12));
    assertThat(Curve.firstReaching(0.2, x, y)).isZero();
    assertThat(Curve.firstReaching(0.71, x, y)).isNaN();
  }
}
