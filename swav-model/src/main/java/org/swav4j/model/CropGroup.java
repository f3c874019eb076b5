package org.swav4j.model;

/**
 * Crops of one size that go through the trunk as one batch.
 *
 * @param count crops of this size per image
 * @param size side in pixels
 */
public record CropGroup(int count, int size) {
  public CropGroup {
    if (count < 1 || size < 4) {
      throw new IllegalArgumentException(
          "crop group " + count + "x" + size + ", expected at least one crop of at least 4 pixels");
    }
  }
}
