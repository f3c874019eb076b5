package org.swav4j.sinkhorn;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * One vector of columns (sums, or maxima) for each chunk of rows, joined pair by pair up a tree
 * while the chunks are done in any order by any thread. So the result doesn't depend on the number
 * of threads, and little but a top of the tree passes from core to core.
 */
final class ColumnTree {
  /** Puts the columns of two neighbours into the left one's. */
  interface Joining {
    void join(float[] left, float[] right);
  }

  private final float[][] partial;
  private final AtomicIntegerArray arrivals;

  ColumnTree(RowChunks chunks) {
    partial = new float[chunks.count()][chunks.stride()];
    arrivals = new AtomicIntegerArray(chunks.count());
  }

  /** Before a pass: nothing is joined yet. */
  void begin() {
    for (int chunk = 0; chunk < partial.length; chunk++) {
      arrivals.lazySet(chunk, 0);
    }
  }

  /** The columns that a chunk's thread fills. */
  float[] of(int chunk) {
    return partial[chunk];
  }

  /**
   * Joins a chunk's columns, which are done, with its neighbour's, theirs with those of the next
   * two, and so on, as far as the others are there: who comes second to a pair joins it.
   */
  void join(int chunk, Joining joining) {
    int chunks = partial.length;
    for (int width = 1; width < chunks; width *= 2) {
      int left = chunk & -2 * width;
      int right = left + width;
      if (right < chunks) {
        // Pairs are known by their right half, for there is one of each.
        if (arrivals.incrementAndGet(right) == 1) {
          return;
        }
        joining.join(partial[left], partial[right]);
      }
    }
  }

  /** After a pass: the columns of all chunks. */
  float[] root() {
    return partial[0];
  }
}
