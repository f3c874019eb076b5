package org.swav4j.train.report;

import java.util.List;
import org.swav4j.train.loop.EpochMetrics;

/**
 * What is known of a run so far.
 *
 * @param epochs from the time before the first, those before the run was resumed included
 * @param rawPixels k-NN accuracy on raw pixels, for comparison, 0 to 1; NaN if not measured
 */
public record RunRecord(List<EpochMetrics> epochs, double rawPixels) {
  /** Copies the list. */
  public RunRecord {
    epochs = List.copyOf(epochs);
  }
}
