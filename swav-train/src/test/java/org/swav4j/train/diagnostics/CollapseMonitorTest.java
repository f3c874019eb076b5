package org.swav4j.train.diagnostics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CollapseMonitorTest {
  private static final RunFacts GOOD = new RunFacts(256, 0, 200, 10_000, 4000, 39, true, 0.3);
  private static final EpochDiagnostics HEALTHY = epoch(0.6, 0.9, 0.02, 200);

  private static EpochDiagnostics epoch(
      double shareOfLogK, double spread, double largest, int distinct) {
    double loss = shareOfLogK * Math.log(200);
    return new EpochDiagnostics(
        loss, shareOfLogK, loss / 2, loss / 2, 0.9, largest, spread, distinct, 200);
  }

  @Test
  void aHealthyRunHearsNothing() {
    CollapseMonitor monitor = new CollapseMonitor(GOOD, 400);
    assertThat(monitor.beforeTraining()).isEmpty();
    assertThat(monitor.afterEpoch(HEALTHY)).isEmpty();
  }

  @Test
  void settingsThatCannotWorkAreNamedBeforehandWithTheirFigures() {
    RunFacts facts = new RunFacts(32, 64, 512, 50, 100, 11, true, 1e-3);
    assertThat(facts.lossFloor()).isCloseTo(Math.log(512 / 96.0), within(1e-12));
    assertThat(new CollapseMonitor(facts, 10).beforeTraining())
        .satisfiesExactly(
            line -> assertThat(line).contains("512 prototypes", "= 1.67", "queue of 480"),
            line -> assertThat(line).contains("queue of 64", "50 images"),
            line -> assertThat(line).contains("11 of 100 steps"),
            line -> assertThat(line).contains("0.001 is small", "1e-06", "0.038 is usual"));
    assertThat(
            new CollapseMonitor(new RunFacts(1, 0, 8, 50, 100, 0, false, 1e-3), 10)
                .beforeTraining())
        .singleElement()
        .satisfies(line -> assertThat(line).contains("batch of 1"));
  }

  @Test
  void aLossAtLogKIsReportedOnceAfterPatienceAndAgainAfterRecovery() {
    CollapseMonitor monitor = new CollapseMonitor(GOOD, 100);
    EpochDiagnostics chance = epoch(0.999, 0.9, 0.02, 200);
    assertThat(monitor.afterEpoch(chance)).isEmpty();
    assertThat(monitor.afterEpoch(chance)).isEmpty();
    assertThat(monitor.afterEpoch(chance))
        .hasValueSatisfying(line -> assertThat(line).contains("300 steps", "epsilon"));
    assertThat(monitor.afterEpoch(chance)).isEmpty();
    assertThat(monitor.afterEpoch(HEALTHY)).isEmpty();
    for (int i = 0; i < 2; i++) {
      assertThat(monitor.afterEpoch(chance)).isEmpty();
    }
    assertThat(monitor.afterEpoch(chance)).isPresent();
  }

  @Test
  void eachKindOfTroubleGetsItsOwnAdvice() {
    assertThat(new CollapseMonitor(GOOD, 400).afterEpoch(epoch(0.9, 0.01, 0.9, 3)))
        .hasValueSatisfying(line -> assertThat(line).startsWith("collapsed").contains("0.010"));
    assertThat(new CollapseMonitor(GOOD, 400).afterEpoch(epoch(0.9, 0.9, 0.7, 200)))
        .hasValueSatisfying(line -> assertThat(line).contains("70 %"));
    assertThat(new CollapseMonitor(GOOD, 400).afterEpoch(epoch(0.9, 0.9, 0.02, 100)))
        .hasValueSatisfying(line -> assertThat(line).contains("100 of 200"));
    RunFacts slow = new RunFacts(256, 0, 200, 10_000, 4000, 39, true, 1e-3);
    assertThat(new CollapseMonitor(slow, 400).afterEpoch(epoch(1, 0.9, 0.02, 200)))
        .hasValueSatisfying(line -> assertThat(line).contains("0.001 is small for LARS"));
    RunFacts few = new RunFacts(32, 0, 200, 10_000, 4000, 39, false, 0.1);
    double floorShare = few.lossFloor() / Math.log(200);
    assertThat(new CollapseMonitor(few, 400).afterEpoch(epoch(1.01 * floorShare, 0.9, 0.02, 200)))
        .hasValueSatisfying(line -> assertThat(line).contains("= 1.83"));
  }
}
