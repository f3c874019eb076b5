package org.swav4j.train.report;

import java.util.Optional;
import org.swav4j.data.DataSets;

/**
 * What a run learns from.
 *
 * @param images to learn from
 * @param channels of each
 * @param digest SHA-256 of their paths, labels and sizes; empty if not known
 * @param sets the images themselves; empty if they can't be opened
 */
public record RunData(int images, int channels, String digest, Optional<DataSets> sets) {
  /** Of images that are there. */
  public static RunData of(DataSets sets) {
    return new RunData(
        sets.train().size(), sets.train().channels(), sets.train().digest(), Optional.of(sets));
  }
}
