package org.swav4j.data;

import java.util.List;
import java.util.Set;

/** Images of noise, each of another size, some of them unreadable. */
record FakeSource(int size, int channels, Set<Integer> broken) implements ImageSource {
  static FakeSource colour(int size) {
    return new FakeSource(size, 3, Set.of());
  }

  static FakeSource grey(int size) {
    return new FakeSource(size, 1, Set.of());
  }

  FakeSource without(Integer... indices) {
    return new FakeSource(size, channels, Set.of(indices));
  }

  /** A noise image of the given size, a function of the index. */
  static Image noise(int index, int width, int height, int channels) {
    byte[] pixels = new byte[width * height * channels];
    CounterRandom random = new CounterRandom(99, 0, index, 0);
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) random.nextInt(256);
    }
    return new Image(width, height, channels, pixels);
  }

  @Override
  public String name() {
    return "noise";
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    if (broken.contains(index)) {
      throw new UnreadableImageException(describe(index), "broken on purpose");
    }
    return noise(index, 20 + index % 7, 15 + index % 11, channels);
  }

  @Override
  public int label(int index) {
    return -1;
  }

  @Override
  public List<String> classes() {
    return List.of();
  }

  @Override
  public String describe(int index) {
    return "noise " + index;
  }
}
