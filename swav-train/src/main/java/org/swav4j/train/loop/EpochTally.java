package org.swav4j.train.loop;

import java.util.List;

/** Counts an epoch's steps, losses and time, and turns them into metrics. */
final class EpochTally {
  private final RunSizes sizes;
  private int steps;
  private double seconds;
  private double waited;
  private long mark;
  private long waitMark;

  EpochTally(RunSizes sizes) {
    this.sizes = sizes;
  }

  /** The epoch's first step is about to begin, or the first after an interruption. */
  void begin(long waitedNanos) {
    steps = 0;
    seconds = 0;
    waited = 0;
    mark = System.nanoTime();
    waitMark = waitedNanos;
  }

  /** A step is done. */
  StepMetrics step(long number, double loss, double chance, int queueRows, long waitedNanos) {
    long now = System.nanoTime();
    StepMetrics metrics =
        new StepMetrics(
            (int) (number / sizes.stepsPerEpoch()),
            number,
            loss,
            loss / chance,
            sizes.schedule().at(number),
            queueRows,
            (now - mark) / 1e9,
            (waitedNanos - waitMark) / 1e9,
            List.of());
    mark = now;
    waitMark = waitedNanos;
    steps++;
    seconds += metrics.seconds();
    waited += metrics.waitedSeconds();
    return metrics;
  }

  /** The epoch is done. */
  EpochMetrics epoch(long done, double meanLoss, double chance) {
    EpochMetrics none = EpochMetrics.untrained();
    return new EpochMetrics(
        (int) (done / sizes.stepsPerEpoch()),
        done,
        meanLoss,
        meanLoss / chance,
        steps * (double) sizes.batch() / seconds,
        waited / seconds,
        none.features(),
        none.health(),
        none.state(),
        none.advice());
  }
}
