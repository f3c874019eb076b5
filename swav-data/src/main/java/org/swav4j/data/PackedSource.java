package org.swav4j.data;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Small images of one size, held as bytes one after another. Immutable. */
abstract class PackedSource implements ImageSource {

  /**
   * @param width of every image
   * @param height of every image
   * @param channels 3 or 1
   * @param pixels of all images, each interleaved and row-major; only the first {@code
   *     labels.length} images count
   * @param labels one per image, -1 for none
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Content(int width, int height, int channels, byte[] pixels, int[] labels) {}

  private final String name;
  private final Content content;
  private final List<String> classes;

  PackedSource(String name, Content content, List<String> classes) {
    this.name = name;
    this.content = content;
    this.classes = List.copyOf(classes);
  }

  /** Names that say no more than the number. */
  static List<String> numbered(int count) {
    return java.util.stream.IntStream.range(0, count).mapToObj(Integer::toString).toList();
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final int size() {
    return content.labels().length;
  }

  @Override
  public final int channels() {
    return content.channels();
  }

  @Override
  public final Image read(int index, int atLeast) {
    Objects.checkIndex(index, size());
    int length = content.width() * content.height() * content.channels();
    byte[] pixels = Arrays.copyOfRange(content.pixels(), index * length, (index + 1) * length);
    return new Image(content.width(), content.height(), content.channels(), pixels);
  }

  @Override
  public final int label(int index) {
    return content.labels()[index];
  }

  @Override
  public final List<String> classes() {
    return classes;
  }

  @Override
  public String describe(int index) {
    return "image " + Objects.checkIndex(index, size()) + " of " + name;
  }

  /** Of the size, the pixels and the labels. */
  @Override
  public final String digest() {
    Fingerprint fingerprint =
        new Fingerprint().add(content.width()).add(content.height()).add(content.channels());
    fingerprint.add(content.pixels());
    for (int label : content.labels()) {
      fingerprint.add(label);
    }
    return fingerprint.hex();
  }
}
