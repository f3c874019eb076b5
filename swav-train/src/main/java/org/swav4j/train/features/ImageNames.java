package org.swav4j.train.features;

import org.swav4j.data.ImageSource;

/** What images are called in results, however the way to their folder was typed. */
public final class ImageNames {
  private ImageNames() {}

  /** The path relative to the folder of the data, else what the source calls the image. */
  public static String path(ImageSource source, int index) {
    return source.relativePath(index).orElseGet(() -> source.describe(index));
  }

  /** The name of the image's class; empty if it has none. */
  public static String label(ImageSource source, int index) {
    int label = source.label(index);
    return label < 0 ? "" : source.classes().get(label);
  }
}
