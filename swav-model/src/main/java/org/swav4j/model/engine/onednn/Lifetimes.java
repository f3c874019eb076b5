package org.swav4j.model.engine.onednn;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Places buffers in one allocation so that two that are alive at the same step never overlap: the
 * largest first, each in the smallest gap it fits into among those placed that live with it (greedy
 * best fit by size; see Pisarchyk and Lee, "Efficient memory management for deep neural net
 * inference", 2020, section 5.2).
 */
final class Lifetimes {
  /** A cache line, and the widest vector. */
  static final long ALIGNMENT = 64;

  private Lifetimes() {}

  /** Places all buffers and returns the bytes of the arena. */
  static long place(Collection<Buffer> buffers) {
    List<Buffer> bySize = new ArrayList<>(buffers);
    bySize.sort(Comparator.comparingLong((Buffer b) -> -b.bytes).thenComparingInt(Buffer::first));
    List<Buffer> placed = new ArrayList<>(); // by offset
    long total = 0;
    for (Buffer b : bySize) {
      long best = -1;
      long bestGap = Long.MAX_VALUE;
      long end = 0;
      for (Buffer other : placed) {
        if (!other.livesWith(b)) {
          continue;
        }
        long gap = other.offset() - end;
        if (gap >= b.bytes && gap < bestGap) {
          best = end;
          bestGap = gap;
        }
        end = Math.max(end, aligned(other.offset() + other.bytes));
      }
      b.place(best >= 0 ? best : end);
      total = Math.max(total, aligned(b.offset() + b.bytes));
      int at = placed.size();
      while (at > 0 && placed.get(at - 1).offset() > b.offset()) {
        at--;
      }
      placed.add(at, b);
    }
    return total;
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
