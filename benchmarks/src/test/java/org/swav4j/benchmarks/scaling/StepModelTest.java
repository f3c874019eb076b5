package org.swav4j.benchmarks.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepModelTest {
  private static final int BUCKET = 1 << 19;

  /** About a ResNet-18's: two thirds of it are backward, of which a third is done at first. */
  private static final StepWork WORK =
      new StepWork(
          2,
          IntStream.rangeClosed(1, 90).mapToObj(i -> new StepWork.Sum(i / 91.0, 512)).toList(),
          IntStream.rangeClosed(1, 24)
              .mapToObj(i -> new StepWork.Sum(i < 20 ? 0.45 + i / 100.0 : 1, BUCKET))
              .toList());

  private static final List<Network> NETWORKS =
      List.of(
          Network.gigabits(1, 1e-4),
          Network.gigabits(1, 5e-4),
          Network.gigabits(10, 5e-4),
          Network.gigabits(100, 1e-5),
          Network.gigabits(10, 5e-3));

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8, 16})
  void theSimulationTakesAsLongWhereBandwidthLatencyOrComputingIsTheLimit(int workers) {
    for (Network network : NETWORKS) {
      for (StepWork work : List.of(WORK, WORK.withoutOverlap())) {
        double model = StepModel.of(work, network, workers).total();
        double simulated = new StepSimulation(work, network, workers, 0.02).run(4);
        assertThat(model / simulated)
            .as(
                "%d workers, %s, %d buckets: %s s, simulated %s s",
                workers, network, work.buckets().size(), model, simulated)
            .isCloseTo(1, within(0.2));
      }
    }
  }

  /** But for the latency of each bucket, where the network has nothing else to do. */
  @ParameterizedTest
  @ValueSource(ints = {2, 4, 16})
  void overlapIsNeverSlowerThanSumsAfterwardsByMoreThanTheLatencyOfItsBuckets(int workers) {
    for (Network network : NETWORKS) {
      double during = new StepSimulation(WORK, network, workers, 0.02).run(4);
      double after = new StepSimulation(WORK.withoutOverlap(), network, workers, 0.02).run(4);
      assertThat(during)
          .as("%d workers, %s", workers, network)
          .isLessThan(after + 2 * WORK.buckets().size() * network.latency());
    }
  }

  @Test
  void partsAreThoseOfTheFormula() {
    StepWork work =
        new StepWork(1, List.of(new StepWork.Sum(0.5, 100)), List.of(new StepWork.Sum(1, 1000)));
    StepModel.Seconds seconds = StepModel.of(work, new Network(0.25, 8000), 4);
    assertThat(seconds.compute()).isEqualTo(0.25);
    assertThat(seconds.small()).isCloseTo(0.25 + 3 * 800 / 8000.0, within(1e-12));
    assertThat(seconds.rest()).isCloseTo(0.5 + 1.5 * 4000 / 8000.0, within(1e-12));
    assertThat(StepModel.efficiency(work, new Network(0, 1e30), 7)).isCloseTo(1, within(1e-9));
  }

  /** Ready when half is computed, in 0.125 s; the sum takes 0.5 + 0.375 s. */
  @Test
  void whatIsComputedMeanwhileIsNotWaitedFor() {
    StepWork work = new StepWork(1, List.of(), List.of(new StepWork.Sum(0.5, 500)));
    Network network = new Network(0.25, 8000);
    assertThat(StepModel.of(work, network, 4).rest())
        .isCloseTo(0.5 + 1.5 * 2000 / 8000.0 - 0.125, within(1e-12));
    assertThat(StepModel.of(work, network, 4).total())
        .isCloseTo(new StepSimulation(work, network, 4, 0).run(1), within(0.01));
  }

  @Test
  void theStepOfAResNet18SumsEveryNormTwiceInEachSizeOfCrops() {
    StepWork work = ScalingTable.resnet18(1, true);
    // 20 norms of the trunk in two sizes and the head's, forward and backward; 2 times 4 for codes
    assertThat(work.small()).hasSize(2 * (2 * 20 + 1) + 8);
    assertThat(ScalingTable.resnet18(1, false).small()).hasSize(8);
    assertThat(work.buckets().get(0).numbers()).isEqualTo(ScalingTable.BUCKET);
    // The last third of the network has most gradients.
    assertThat(work.buckets().get(work.buckets().size() / 2).after()).isBetween(0.4, 0.6);
    assertThat(work.gradients()).isBetween(11_000_000L, 13_000_000L);
  }
}
