package org.swav4j.benchmarks.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ThreadedStepsTest {
  /** How long that takes is measured by {@code main}. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16})
  void everyWorkerHasEverySumAndNoStepIsShorterThanItsComputing(int workers) throws Exception {
    StepWork work =
        new StepWork(
            0.02,
            List.of(new StepWork.Sum(0.3, 100), new StepWork.Sum(0.9, 5000)),
            List.of(new StepWork.Sum(0.5, 40_000), new StepWork.Sum(1, 3)));
    // It throws if a sum is another.
    assertThat(new ThreadedSteps(work, new Network(1e-4, 1e9), workers).run(3))
        .isGreaterThan(0.98 * work.compute() / workers);
  }

  /** Two senders, each at once, whose bytes come in one behind the other. */
  @Test
  void aMessageIsNotThereBeforeItsLatencyAndTheBytesBeforeItAreOver() {
    try (DelayedLinks links = new DelayedLinks(new Network(0.01, 1000), 3, 1)) {
      long start = System.nanoTime();
      links.send(0, 0, 2, new double[] {1}, 20);
      links.send(0, 1, 2, new double[] {2}, 20);
      links.send(0, 1, 2, new double[] {3}, 20);
      assertThat(links.receive(0, 0, 2)).containsExactly(1);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(30_000_000);
      assertThat(links.receive(0, 1, 2)).containsExactly(2);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(50_000_000);
      assertThat(links.receive(0, 1, 2)).containsExactly(3);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(70_000_000);
    }
  }
}
