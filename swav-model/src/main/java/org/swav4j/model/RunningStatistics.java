package org.swav4j.model;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The means and variances that batch norm uses once training is over: running ← 0.9 · running + 0.1
 * · batch, the variance unbiased. Each crop size updates the trunk's once per step, all rows
 * together the head's.
 */
final class RunningStatistics {
  private static final double MOMENTUM = 0.1;

  /**
   * One batch norm's pass over one group.
   *
   * @param mean of the batch, [C]
   * @param variance of the batch, biased, [C]
   * @param rows numbers each mean was taken over
   * @param runningMean updated, [C]
   * @param runningVariance updated, [C]
   */
  record Entry(
      INDArray mean,
      INDArray variance,
      long rows,
      INDArray runningMean,
      INDArray runningVariance) {}

  private final List<Entry> entries;

  RunningStatistics(List<Entry> entries) {
    this.entries = List.copyOf(entries);
  }

  void update() {
    for (Entry e : entries) {
      move(e.runningMean, e.mean, 1);
      move(e.runningVariance, e.variance, e.rows > 1 ? e.rows / (e.rows - 1.0) : 1);
    }
  }

  private static void move(INDArray running, INDArray batch, double scale) {
    for (long c = 0; c < running.length(); c++) {
      running.putScalar(
          c, (1 - MOMENTUM) * running.getDouble(c) + MOMENTUM * scale * batch.getDouble(c));
    }
  }
}
