package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SkippedImagesTest {

  @Test
  void namesTheFirstAndCountsTheRest() {
    SkippedImages skipped = new SkippedImages();
    assertThat(skipped.summary()).isEqualTo("no image skipped");
    assertThat(skipped.add("a.png", "truncated")).isTrue();
    assertThat(skipped.summary()).isEqualTo("1 image skipped: a.png (truncated)");
    for (int i = 0; i < 6; i++) {
      skipped.add("b" + i, "empty");
    }
    assertThat(skipped.summary())
        .startsWith("7 images skipped: a.png (truncated), b0 (empty)")
        .endsWith("b3 (empty), and 2 more");
  }

  @Test
  void anImageMetInEveryEpochByEveryWorkerCountsOnce() {
    SkippedImages skipped = new SkippedImages();
    IntStream.range(0, 4000).parallel().forEach(i -> skipped.add("image " + i % 40, "broken"));
    assertThat(skipped.count()).isEqualTo(40);
    assertThat(skipped.add("image 0", "broken")).isFalse();
  }

  @Test
  void imagesRefusePixelsThatDoNotFit() {
    assertThatThrownBy(() -> new Image(4, 3, 3, new byte[12]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("12 bytes for an image of 4x3x3, expected 36");
    assertThatThrownBy(() -> new Image(4, 3, 4, new byte[48])).hasMessageContaining("4 channels");
    assertThatThrownBy(() -> new Image(0, 3, 1, new byte[0])).hasMessageContaining("0x3");
  }
}
