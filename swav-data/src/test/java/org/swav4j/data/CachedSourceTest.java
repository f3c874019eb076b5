package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CachedSourceTest {

  /** Images of 100x100 grey pixels, reduced to what is asked for; counts its reads. */
  private static final class Counting implements ImageSource {
    private int reads;

    @Override
    public Image read(int index, int atLeast) throws UnreadableImageException {
      reads++;
      if (index == 9) {
        throw new UnreadableImageException("image 9", "broken");
      }
      int side = Math.min(100, atLeast);
      return new Image(side, side, 1, new byte[side * side]);
    }

    @Override
    public String name() {
      return "counting";
    }

    @Override
    public int size() {
      return 10;
    }

    @Override
    public int channels() {
      return 1;
    }

    @Override
    public int label(int index) {
      return index;
    }

    @Override
    public List<String> classes() {
      return List.of();
    }

    @Override
    public String describe(int index) {
      return "image " + index;
    }
  }

  private final Counting source = new Counting();

  @Test
  void whatWasReadOnceIsNotReadAgain() throws Exception {
    CachedSource cached = new CachedSource(source, 1 << 20);
    Image first = cached.read(3, 50);
    assertThat(cached.read(3, 50)).isSameAs(first);
    assertThat(source.reads).isEqualTo(1);
  }

  @Test
  void aReadDoesNotDependOnWhatWasReadBefore() throws Exception {
    CachedSource cached = new CachedSource(source, 1 << 20);
    for (int time = 0; time < 2; time++) {
      for (int atLeast : new int[] {50, 20, 200, 30, 150}) {
        assertThat(cached.read(3, atLeast).width()).isEqualTo(Math.min(100, atLeast));
      }
    }
    assertThat(source.reads).as("each size once").isEqualTo(5);
  }

  @Test
  void equalPixelsReadForTwoSizesAreKeptOnce() throws Exception {
    CachedSource cached = new CachedSource(source, 10_200);
    Image full = cached.read(3, 100);
    assertThat(cached.read(3, 200)).isSameAs(full);
    assertThat(cached.read(3, 200)).isSameAs(full);
    assertThat(source.reads).as("there is room for one, and both are kept").isEqualTo(2);
  }

  @Test
  void overTheBudgetNothingMoreIsKept() throws Exception {
    CachedSource cached = new CachedSource(source, 25_000); // room for two of them
    for (int epoch = 0; epoch < 3; epoch++) {
      for (int i = 0; i < 5; i++) {
        cached.read(i, 100);
      }
    }
    assertThat(source.reads).isEqualTo(5 + 3 + 3);
  }

  @Test
  void failuresPassThrough() {
    CachedSource cached = new CachedSource(source, 1 << 20);
    for (int time = 0; time < 2; time++) {
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> cached.read(9, 10))
          .isInstanceOf(UnreadableImageException.class);
    }
  }
}
