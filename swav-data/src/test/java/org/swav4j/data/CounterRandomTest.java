package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CounterRandomTest {
  @Property
  void theSameCountersGiveTheSameStream(
      @ForAll long seed, @ForAll long epoch, @ForAll long sample, @ForAll long view) {
    CounterRandom a = new CounterRandom(seed, epoch, sample, view);
    CounterRandom b = new CounterRandom();
    b.nextLong();
    b.reset(seed, epoch, sample, view);
    for (int i = 0; i < 5; i++) {
      assertThat(b.nextLong()).isEqualTo(a.nextLong());
    }
  }

  /** A changed generator would change every run that is resumed or repeated. */
  @Test
  void theStreamIsTheOneOfTheFirstRelease() {
    CounterRandom random = new CounterRandom(1, 2, 3, 4);
    assertThat(random.nextLong()).isEqualTo(7495491187389282457L);
    assertThat(random.nextDouble()).isEqualTo(0.6033159367150255);
    assertThat(random.nextInt(1000)).isEqualTo(428);
  }

  @Test
  void neighbouringCountersGiveDifferentStreams() {
    Set<Long> seen = new HashSet<>();
    int n = 12;
    for (int i = 0; i < n * n * n * n; i++) {
      seen.add(new CounterRandom(i % n, i / n % n, i / n / n % n, i / n / n / n).nextLong());
    }
    assertThat(seen).hasSize(n * n * n * n);
  }

  /** Mean and variance within six standard errors, over streams and not along one. */
  @Test
  void firstDrawsOfSuccessiveSamplesAreUniform() {
    int n = 100_000;
    double sum = 0;
    double squares = 0;
    double product = 0;
    double previous = 0.5;
    for (int i = 0; i < n; i++) {
      double x = new CounterRandom(7, 0, i, 0).nextDouble();
      sum += x;
      squares += x * x;
      product += (x - 0.5) * (previous - 0.5);
      previous = x;
    }
    double error = 6 / Math.sqrt(12.0 * n);
    assertThat(Math.abs(sum / n - 0.5)).isLessThan(error);
    assertThat(Math.abs(squares / n - 1.0 / 3)).isLessThan(6 * Math.sqrt(4.0 / 45 / n));
    assertThat(Math.abs(product / n)).isLessThan(6.0 / 12 / Math.sqrt(n));
  }

  @Property
  void boundedDrawsStayBelowTheBound(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = Integer.MAX_VALUE) int bound) {
    CounterRandom random = new CounterRandom(seed, 0, 0, 0);
    for (int i = 0; i < 20; i++) {
      assertThat(random.nextInt(bound)).isBetween(0, bound - 1);
    }
  }

  @Test
  void boundedDrawsReachEveryValueEquallyOften() {
    int[] count = new int[7];
    CounterRandom random = new CounterRandom(3, 0, 0, 0);
    for (int i = 0; i < 70_000; i++) {
      count[random.nextInt(7)]++;
    }
    for (int c : count) {
      assertThat(c).isBetween(10_000 - 600, 10_000 + 600);
    }
  }

  @Test
  void refusesABoundThatIsNotPositive() {
    assertThatThrownBy(() -> new CounterRandom().nextInt(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("bound 0");
  }
}
