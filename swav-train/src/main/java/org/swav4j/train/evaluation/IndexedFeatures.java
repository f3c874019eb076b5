package org.swav4j.train.evaluation;

/**
 * Features and the image that each row is of, where rows of several sets belong together.
 *
 * @param set the rows
 * @param images N numbers, the image of each row
 */
public record IndexedFeatures(FeatureSet set, int[] images) {
  /** Checks the length; throws IllegalArgumentException if it does not fit. */
  public IndexedFeatures {
    if (images.length != set.size()) {
      throw new IllegalArgumentException(
          images.length + " image numbers for " + set.size() + " rows, expected one for each");
    }
  }
}
