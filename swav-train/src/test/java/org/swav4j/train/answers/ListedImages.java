package org.swav4j.train.answers;

import java.util.List;
import java.util.Optional;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;

/**
 * Names and labels without pictures.
 *
 * @param classes names of the classes
 * @param labels of each image, -1 for none
 */
record ListedImages(List<String> classes, int... labels) implements ImageSource {
  @Override
  public String name() {
    return "a list";
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public int channels() {
    return 3;
  }

  @Override
  public Image read(int index, int atLeast) {
    throw new UnsupportedOperationException("there are no pictures");
  }

  @Override
  public int label(int index) {
    return labels[index];
  }

  @Override
  public String describe(int index) {
    return "/data/" + index + ".png";
  }

  @Override
  public Optional<String> relativePath(int index) {
    return Optional.of(index + ".png");
  }
}
