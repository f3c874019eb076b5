package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkerPoolTest {
  @BeforeEach
  void acquire() {
    assertThat(WorkerPool.acquire()).isTrue();
    assertThat(WorkerPool.acquire()).isFalse();
  }

  @AfterEach
  void release() {
    WorkerPool.release();
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "2, 2", "7, 3", "16, 2", "16, 5", "3, 8", "5000, 4"})
  void everyChunkRunsOnceWhoeverRunsIt(int chunks, int threads) {
    AtomicIntegerArray runs = new AtomicIntegerArray(chunks);
    AtomicIntegerArray busy = new AtomicIntegerArray(threads);
    for (int round = 1; round <= 200; round++) {
      WorkerPool.run(
          (chunk, worker) -> {
            // Two chunks never have the same worker at the same time.
            assertThat(busy.incrementAndGet(worker)).isEqualTo(1);
            runs.incrementAndGet(chunk);
            busy.decrementAndGet(worker);
          },
          chunks,
          threads);
      for (int chunk = 0; chunk < chunks; chunk++) {
        assertThat(runs.get(chunk)).as("runs of chunk %d", chunk).isEqualTo(round);
      }
    }
  }

  @Test
  void aFailureReachesTheCallerAndTheNextJobIsWhole() {
    IllegalArgumentException thrown = new IllegalArgumentException("chunk 3");
    assertThatThrownBy(
            () ->
                WorkerPool.run(
                    (chunk, worker) -> {
                      if (chunk == 3) {
                        throw thrown;
                      }
                    },
                    8,
                    2))
        .isInstanceOf(IllegalStateException.class)
        .hasCause(thrown);
    everyChunkRunsOnceWhoeverRunsIt(8, 2);
  }
}
