package org.swav4j.data;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A data set in its two parts. Both have the same number of channels and the same classes.
 *
 * @param train images to learn from
 * @param test images held out for evaluation; of size 0 where there is nothing to evaluate
 * @param layout what was taken for parts and classes, a sentence each: first the finding, then
 *     warnings; empty for data whose layout is fixed
 * @param leftOut what lies beside the images and isn't used, a sentence for each reason
 */
public record DataSets(
    ImageSource train, ImageSource test, List<String> layout, List<String> leftOut) {

  /** Refuses null. */
  public DataSets {
    Objects.requireNonNull(train, "train");
    Objects.requireNonNull(test, "test");
    layout = List.copyOf(layout);
    leftOut = List.copyOf(leftOut);
  }

  /** Data whose layout needs no words. */
  public DataSets(ImageSource train, ImageSource test) {
    this(train, test, List.of(), List.of());
  }

  /** Both lists, what a person should know before the data are used. */
  public List<String> notes() {
    return Stream.concat(layout.stream(), leftOut.stream()).toList();
  }
}
