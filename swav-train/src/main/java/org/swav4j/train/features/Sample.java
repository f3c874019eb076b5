package org.swav4j.train.features;

import java.util.List;
import java.util.stream.IntStream;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.UnreadableImageException;

/** Some images of a source, spread evenly over it, so that no class is left out of sorted data. */
public final class Sample implements ImageSource {
  private final ImageSource source;
  private final int[] indices;

  private Sample(ImageSource source, int[] indices) {
    this.source = source;
    this.indices = indices;
  }

  /** At most so many images, all of them if there are no more. */
  public static Sample of(ImageSource source, int atMost) {
    return spread(source, IntStream.range(0, source.size()).toArray(), atMost);
  }

  /** The same of the images that have a label. */
  public static Sample labelled(ImageSource source, int atMost) {
    int[] labelled = IntStream.range(0, source.size()).filter(i -> source.label(i) >= 0).toArray();
    return spread(source, labelled, atMost);
  }

  private static Sample spread(ImageSource source, int[] from, int atMost) {
    int n = Math.min(from.length, atMost);
    return new Sample(
        source, IntStream.range(0, n).map(i -> from[(int) ((long) i * from.length / n)]).toArray());
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public int size() {
    return indices.length;
  }

  @Override
  public int channels() {
    return source.channels();
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    return source.read(indices[index], atLeast);
  }

  @Override
  public int label(int index) {
    return source.label(indices[index]);
  }

  @Override
  public List<String> classes() {
    return source.classes();
  }

  @Override
  public String describe(int index) {
    return source.describe(indices[index]);
  }
}
