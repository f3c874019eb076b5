package org.swav4j.model;

import java.util.List;

/**
 * The crops of a batch and where their rows lie: those of crop 0 first, one per image, then those
 * of crop 1, and so on through the groups. Row {@code v·B + n} belongs to crop v of image n.
 *
 * @param groups crops by size; crop 0 is the first of the first group
 * @param batch B, images in a batch, at least 1
 */
public record Views(List<CropGroup> groups, int batch) {
  public Views {
    groups = List.copyOf(groups);
    if (groups.isEmpty()) {
      throw new IllegalArgumentException("there are no crop groups, expected at least one");
    }
    if (batch < 1) {
      throw new IllegalArgumentException("batch is " + batch + ", expected at least 1");
    }
  }

  /** V, crops of an image. */
  public int count() {
    return groups.stream().mapToInt(CropGroup::count).sum();
  }

  /** V·B, rows of a batch. */
  public int rows() {
    return Math.multiplyExact(count(), batch);
  }
}
