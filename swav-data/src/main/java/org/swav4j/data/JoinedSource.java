package org.swav4j.data;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Both parts of a data set as one source: files in the order of their paths, other images in the
 * order of the parts, training first. Thread-safe where the parts are.
 */
public final class JoinedSource implements ImageSource {
  private final DataSets data;

  /** Index in the train part, or the complement of one in the test part. */
  private final int[] order;

  /** Joins the parts. */
  public JoinedSource(DataSets data) {
    this.data = data;
    ImageSource train = data.train();
    ImageSource test = data.test();
    this.order = new int[Math.addExact(train.size(), test.size())];
    int a = 0;
    int b = 0;
    for (int i = 0; i < order.length; i++) {
      boolean fromTrain = b == test.size() || (a < train.size() && !isBefore(test, b, train, a));
      order[i] = fromTrain ? a++ : ~b++;
    }
  }

  private static boolean isBefore(ImageSource one, int index, ImageSource other, int otherIndex) {
    Optional<String> path = one.relativePath(index);
    Optional<String> otherPath = other.relativePath(otherIndex);
    return path.isPresent() && otherPath.isPresent() && path.get().compareTo(otherPath.get()) < 0;
  }

  /** Whether an image is of the test part. */
  public boolean isTest(int index) {
    return order[index] < 0;
  }

  private ImageSource part(int index) {
    return isTest(index) ? data.test() : data.train();
  }

  private int inPart(int index) {
    return isTest(index) ? ~order[index] : order[index];
  }

  @Override
  public String name() {
    return data.train().name();
  }

  @Override
  public int size() {
    return order.length;
  }

  @Override
  public int channels() {
    return data.train().channels();
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    Objects.checkIndex(index, order.length);
    return part(index).read(inPart(index), atLeast);
  }

  @Override
  public int label(int index) {
    return part(index).label(inPart(index));
  }

  @Override
  public List<String> classes() {
    return data.train().classes();
  }

  @Override
  public String describe(int index) {
    return part(index).describe(inPart(index));
  }

  @Override
  public Optional<String> relativePath(int index) {
    return part(index).relativePath(inPart(index));
  }

  @Override
  public String digest() {
    return new Fingerprint().add(data.train().digest()).add(data.test().digest()).hex();
  }
}
