package org.swav4j.data;

/**
 * The order in which an epoch visits the images: a permutation that is a function of (seed, epoch).
 */
final class EpochOrder {
  /** A sample and a view that no image and no crop has, so that no crop shares these numbers. */
  private static final long ORDER = -1;

  private EpochOrder() {}

  /** Indices {@code 0..images-1}, shuffled. */
  static int[] of(int images, long seed, long epoch) {
    int[] order = new int[images];
    CounterRandom random = new CounterRandom(seed, epoch, ORDER, ORDER);
    for (int i = 0; i < order.length; i++) { // Fisher-Yates, inside out
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
