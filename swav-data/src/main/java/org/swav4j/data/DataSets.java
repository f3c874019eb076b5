package org.swav4j.data;

import java.util.Objects;

/**
 * A data set in its two parts. Both have the same number of channels and the same classes.
 *
 * @param train images to learn from
 * @param test images held out for evaluation; of size 0 where there is nothing to evaluate
 */
public record DataSets(ImageSource train, ImageSource test) {

  /** Refuses null. */
  public DataSets {
    Objects.requireNonNull(train, "train");
    Objects.requireNonNull(test, "test");
  }
}
