package org.swav4j.data;

import java.util.List;
import java.util.Objects;

/**
 * A data set in its two parts. Both have the same number of channels and the same classes.
 *
 * @param train images to learn from
 * @param test images held out for evaluation; of size 0 where there is nothing to evaluate
 * @param notes what a person should know of how the data were read, a sentence each: first what was
 *     taken for parts and classes, then warnings, then what is left out and why. Empty for data
 *     whose layout is fixed.
 */
public record DataSets(ImageSource train, ImageSource test, List<String> notes) {

  /** Refuses null. */
  public DataSets {
    Objects.requireNonNull(train, "train");
    Objects.requireNonNull(test, "test");
    notes = List.copyOf(notes);
  }

  /** Data whose layout needs no words. */
  public DataSets(ImageSource train, ImageSource test) {
    this(train, test, List.of());
  }
}
