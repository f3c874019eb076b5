package org.swav4j.benchmarks.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepModelTest {
  /** About a ResNet-18's. */
  private static final StepWork WORK = new StepWork(2, Collections.nCopies(90, 512), 12_000_000);

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8, 16})
  void theSimulationTakesAsLongWhereBandwidthLatencyOrComputingIsTheLimit(int workers)
      throws InterruptedException {
    for (Network network :
        List.of(
            Network.gigabits(1, 1e-4),
            Network.gigabits(10, 5e-4),
            Network.gigabits(100, 1e-5),
            Network.gigabits(10, 5e-3))) {
      double model = StepModel.of(WORK, network, workers).total();
      double simulated = new StepSimulation(WORK, network, workers, 0.02).run(4);
      assertThat(model / simulated)
          .as("%d workers, %s: %s s, simulated %s s", workers, network, model, simulated)
          .isCloseTo(1, within(0.2));
    }
  }

  @Test
  void partsAreThoseOfTheFormula() {
    StepWork work = new StepWork(1, List.of(100), 1000);
    StepModel.Seconds seconds = StepModel.of(work, new Network(0.25, 8000), 4);
    assertThat(seconds.compute()).isEqualTo(0.25);
    assertThat(seconds.small()).isCloseTo(0.25 + 3 * 800 / 8000.0, within(1e-12));
    assertThat(seconds.gradients()).isCloseTo(0.5 + 1.5 * 4000 / 8000.0, within(1e-12));
    assertThat(StepModel.efficiency(work, new Network(0, 1e30), 7)).isCloseTo(1, within(1e-9));
  }

  @Test
  void theStepOfAResNet18SumsEveryNormTwiceInEachSizeOfCrops() {
    StepWork work = ScalingTable.resnet18(1, true);
    // 20 norms of the trunk in two sizes and the head's, forward and backward; 2 times 4 for codes
    assertThat(work.small()).hasSize(2 * (2 * 20 + 1) + 8);
    assertThat(ScalingTable.resnet18(1, false).small()).hasSize(8);
    assertThat(work.gradients()).isBetween(11_000_000L, 13_000_000L);
  }
}
