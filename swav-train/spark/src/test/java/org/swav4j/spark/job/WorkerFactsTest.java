package org.swav4j.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Workers that would round differently, or share an executor, don't begin. */
class WorkerFactsTest {
  private static final WorkerFacts FIRST = new WorkerFacts("a:1", "0", "1.2", "amd64 avx2 fma");

  @Test
  void workersThatAreAlikeMayTrainAndTextKeepsWhatTheySay() {
    WorkerFacts other = new WorkerFacts("b:1", "1", "1.2", "amd64 avx2 fma");
    assertThatCode(() -> WorkerFacts.requireAlike(List.of(FIRST, other)))
        .doesNotThrowAnyException();
    assertThat(WorkerFacts.read(other.text())).isEqualTo(other);
  }

  @Test
  void aDifferentVersionIsNamed() {
    WorkerFacts other = new WorkerFacts("b:1", "1", "1.3", "amd64 avx2 fma");
    assertThatThrownBy(() -> WorkerFacts.requireAlike(List.of(FIRST, other)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "worker 0 at a:1 has version 1.2 of swav4j, and worker 1 at b:1 has 1.3: give all"
                + " executors the same jars");
  }

  @Test
  void anotherInstructionSetIsNamed() {
    WorkerFacts other = new WorkerFacts("b:1", "1", "1.2", "amd64 avx2 fma avx512f");
    assertThatThrownBy(() -> WorkerFacts.requireAlike(List.of(FIRST, FIRST, other)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("worker 2 at b:1 one with 'amd64 avx2 fma avx512f'")
        .hasMessageContaining("take executors of one kind of machine");
  }

  @Test
  void twoWorkersOfOneExecutorAreNamed() {
    WorkerFacts other = new WorkerFacts("b:1", "0", "1.2", "amd64 avx2 fma");
    assertThatThrownBy(() -> WorkerFacts.requireAlike(List.of(FIRST, other)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("workers 0 and 1 are in the same executor 0");
  }
}
