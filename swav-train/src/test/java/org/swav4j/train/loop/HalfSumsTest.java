package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.train.collective.Collective;

class HalfSumsTest {
  /**
   * Gradients side by side: usual, tiny, huge, of both magnitudes, zero, largest that there are.
   */
  private static final double[][] MAGNITUDES = {
    {1}, {1e-8}, {1e4}, {1e-8, 1e4}, {0}, {Float.MAX_VALUE / 32}, {Float.MIN_NORMAL}
  };

  private static final int EACH = 501;

  private static float[] gradients(int rank) {
    float[] values = new float[MAGNITUDES.length * EACH + 1];
    Random random = new Random(rank);
    for (int i = 0; i < MAGNITUDES.length * EACH; i++) {
      double[] magnitudes = MAGNITUDES[i / EACH];
      values[i] = (float) (magnitudes[i % magnitudes.length] * (2 * random.nextDouble() - 1));
    }
    values[values.length - 1] = 1e6f + rank; // what is behind them
    return values;
  }

  private static List<float[]> sums(int workers) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(workers);
    try {
      List<Future<float[]>> running = new ArrayList<>();
      for (Collective collective : Collective.threads(workers)) {
        running.add(
            threads.submit(
                () -> {
                  List<Long> lengths = new ArrayList<>();
                  for (double[] ignored : MAGNITUDES) {
                    lengths.add((long) EACH);
                  }
                  try (HalfSums sums = new HalfSums(collective, lengths)) {
                    INDArray gradients = Nd4j.createFromArray(gradients(collective.rank()));
                    sums.sum(gradients);
                    return gradients.toFloatVector();
                  }
                }));
      }
      List<float[]> all = new ArrayList<>();
      for (Future<float[]> worker : running) {
        all.add(worker.get());
      }
      return all;
    } finally {
      threads.shutdownNow();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void sumsAreTheSameBitsEverywhereAndOffByAThousandthOfWhatIsAdded(int workers) throws Exception {
    List<float[]> sums = sums(workers);
    for (int i = 0; i < MAGNITUDES.length * EACH; i++) {
      double exact = 0;
      double added = 0;
      double largest = 0;
      for (int rank = 0; rank < workers; rank++) {
        float value = gradients(rank)[i];
        exact += value;
        added += Math.abs(value);
      }
      for (double magnitude : MAGNITUDES[i / EACH]) {
        largest = Math.max(largest, magnitude);
      }
      // Beside it, half of the smallest step of a half float per rounding, at the gradient's scale.
      double step = Math.scalb(largest, -24 - 13) * Integer.highestOneBit(2 * workers - 1);
      assertThat(Math.abs(sums.get(0)[i] - exact))
          .as("number %d of magnitude %s", i % EACH, MAGNITUDES[i / EACH])
          .isLessThanOrEqualTo(added / 1024 + step * (workers + 1) / 2);
      for (int rank = 1; rank < workers; rank++) {
        assertThat(sums.get(rank)[i]).isEqualTo(sums.get(0)[i]);
      }
    }
    for (int rank = 0; rank < workers; rank++) {
      assertThat(sums.get(rank)[MAGNITUDES.length * EACH]).as("unchanged").isEqualTo(1e6f + rank);
    }
  }
}
