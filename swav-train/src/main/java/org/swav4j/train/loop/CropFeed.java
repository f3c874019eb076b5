package org.swav4j.train.loop;

import java.util.Optional;
import org.swav4j.data.SkippedImages;

/** Where a run's batches come from, epoch by epoch. */
interface CropFeed extends AutoCloseable {
  /**
   * Turns to an epoch.
   *
   * @param epoch from 0
   * @param done batches of it that are behind, where a run was interrupted
   */
  void begin(int epoch, long done);

  /** What a run that goes on would not be the same for, in one line; empty if it would be. */
  default Optional<String> inexact() {
    return Optional.empty();
  }

  /** Copies the next batch's crops into the step. */
  void next(MethodStep step);

  /** Nanoseconds spent in {@link #next} and {@link #begin} waiting for crops, in all. */
  long waitedNanos();

  /** Images that could not be read so far. */
  SkippedImages skipped();

  @Override
  void close();
}
