package org.swav4j.data;

import java.util.random.RandomGenerator;

/**
 * The random numbers of one crop: a pure function of (seed, epoch, sample, view).
 *
 * <p>The four numbers are folded into a 64-bit key and the draws are a SplitMix64 sequence from
 * that key (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Nothing
 * is carried from crop to crop, so crops don't depend on the number of workers or their timing, and
 * a resumed run needs no saved state. All methods used by this package are implemented here rather
 * than inherited, so a new JDK can't change them.
 *
 * <p>Not thread-safe: one instance per worker, {@link #reset} for each crop.
 */
public final class CounterRandom implements RandomGenerator {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  /** The stream of (0, 0, 0, 0); call {@link #reset} before use. */
  public CounterRandom() {
    reset(0, 0, 0, 0);
  }

  /** The stream of the given counters. */
  public CounterRandom(long seed, long epoch, long sample, long view) {
    reset(seed, epoch, sample, view);
  }

  /**
   * Moves to the start of another stream.
   *
   * @return this
   */
  public CounterRandom reset(long seed, long epoch, long sample, long view) {
    long key = mix(seed + GOLDEN_GAMMA);
    key = mix((key ^ epoch) + GOLDEN_GAMMA);
    key = mix((key ^ sample) + GOLDEN_GAMMA);
    state = mix((key ^ view) + GOLDEN_GAMMA);
    return this;
  }

  /** Moves to where another stream is. */
  void reset(CounterRandom other) {
    state = other.state;
  }

  @Override
  public long nextLong() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  @Override
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1.0p-53;
  }

  /**
   * Uniform in {@code 0..bound-1}, with a bias below {@code bound / 2^63}.
   *
   * @throws IllegalArgumentException if bound isn't positive
   */
  @Override
  public int nextInt(int bound) {
    if (bound <= 0) {
      throw new IllegalArgumentException("bound " + bound + ", expected at least 1");
    }
    return (int) Math.multiplyHigh(nextLong() >>> 1, (long) bound << 1);
  }

  /** Stafford's variant 13 of the 64-bit finaliser, a bijection. */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
