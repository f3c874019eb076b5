package org.swav4j.train.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TimesTest {
  @Test
  void medianIsTheMiddleRunOrTheMeanOfTheTwoInTheMiddle() {
    assertThat(Times.of(new long[] {9_000_000, 1_000_000, 2_000_000})).isEqualTo(new Times(2, 1));
    assertThat(Times.of(new long[] {4_000_000, 1_000_000, 9_000_000, 2_000_000}))
        .isEqualTo(new Times(3, 1));
  }

  @Test
  void runsThatDoNotCountComeOnTopOfThoseThatDo() {
    int[] runs = {0};
    Times.of(3, 2, () -> runs[0]++);
    assertThat(runs[0]).isEqualTo(5);
    assertThatThrownBy(() -> Times.of(0, 0, () -> {})).hasMessageContaining("`repeats` is 0");
  }
}
