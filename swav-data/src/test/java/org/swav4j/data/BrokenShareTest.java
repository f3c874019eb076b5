package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BrokenShareTest {
  private static FakeSource with(int size, int broken) {
    return FakeSource.grey(size)
        .without(IntStream.range(size / 3, size / 3 + broken).boxed().toArray(Integer[]::new));
  }

  @Test
  void ofAFewImagesItIsExact() {
    BrokenShare share = BrokenShare.of(with(36, 12), 1);
    assertThat(share.tried()).isEqualTo(36);
    assertThat(share.share()).isEqualTo(12 / 36.0);
    assertThat(share).hasToString("12 of 36 images (33.3 %)");
    assertThat(share.examples()).contains("broken on purpose");
  }

  @Test
  void ofManyItIsASampleOfThemAll() {
    BrokenShare share = BrokenShare.of(with(10_000, 3_000), 1);
    assertThat(share.tried()).isBetween(50, 200);
    // four standard deviations of 50 draws
    assertThat(share.share()).isBetween(0.04, 0.56);
    assertThat(BrokenShare.of(with(10_000, 0), 1).share()).isZero();
    assertThat(BrokenShare.of(with(10_000, 3_000), 2)).isNotEqualTo(share);
  }
}
