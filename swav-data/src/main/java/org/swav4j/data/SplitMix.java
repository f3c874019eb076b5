package org.swav4j.data;

/**
 * SplitMix64 (Steele, Lea, Flood 2014), written out because {@link java.util.SplittableRandom}
 * promises no fixed values of its bounded methods from one Java release to the next.
 */
final class SplitMix {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private long state;

  SplitMix(long seed) {
    state = seed;
  }

  /** A bijection whose output bits all depend on all input bits. */
  static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  long next() {
    return mix(state += GOLDEN);
  }

  /** Uniform in {@code [from, to)}. */
  float uniform(double from, double to) {
    return (float) (from + (to - from) * (next() >>> 11) * 0x1p-53);
  }

  /** Uniform in {@code [0, bound)}, for bounds far below 2^32. */
  int below(int bound) {
    return (int) ((next() >>> 32) * bound >>> 32);
  }
}
