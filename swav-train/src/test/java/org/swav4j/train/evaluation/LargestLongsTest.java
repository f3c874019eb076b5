package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

class LargestLongsTest {
  @Property
  void keepsWhatTheEndOfTheSortedArrayHolds(
      @ForAll @IntRange(min = 1, max = 12) int capacity,
      @ForAll @Size(min = 1, max = 60) @LongRange(min = -9, max = 9) long[] offered) {
    LargestLongs largest = new LargestLongs(capacity);
    for (long value : offered) {
      largest.offer(value);
    }
    long[] sorted = Arrays.stream(offered).sorted().toArray();
    long[] kept = LongStream.range(0, largest.size()).map(i -> largest.get((int) i)).toArray();
    assertThat(Arrays.stream(kept).sorted().toArray())
        .isEqualTo(
            Arrays.copyOfRange(sorted, Math.max(0, sorted.length - capacity), sorted.length));
    assertThat(largest.least()).isEqualTo(Arrays.stream(kept).min().orElseThrow());
    assertThat(largest.full()).isEqualTo(offered.length >= capacity);
  }
}
