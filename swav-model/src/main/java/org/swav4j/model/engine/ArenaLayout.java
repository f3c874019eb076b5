package org.swav4j.model.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Places blocks of memory in one arena so that blocks whose lifetimes overlap don't: the largest
 * first, each at the lowest place that is free for as long as it lives.
 */
public final class ArenaLayout {
  /** Blocks start at multiples of this many bytes: a cache line. */
  public static final long ALIGNMENT = 64;

  private record Block(Object owner, long bytes, int from, int to) {
    boolean meets(Block other) {
      return from <= other.to && other.from <= to;
    }
  }

  private final List<Block> blocks = new ArrayList<>();
  private final Map<Object, Long> offsets = new IdentityHashMap<>();
  private long bytes;

  /**
   * Asks for memory.
   *
   * @param owner who asks; told apart by identity
   * @param bytes how much
   * @param from first step that touches it
   * @param to last step that touches it
   */
  public void add(Object owner, long bytes, int from, int to) {
    long rounded = (Math.max(bytes, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    blocks.add(new Block(owner, rounded, from, to));
  }

  /** Places everything asked for. */
  public void place() {
    List<Block> order = new ArrayList<>(blocks);
    order.sort(Comparator.comparingLong(Block::bytes).reversed().thenComparing(Block::from));
    List<Block> placed = new ArrayList<>();
    for (Block block : order) {
      long at = 0;
      for (Block other : placed) { // in order of offset
        if (other.meets(block)) {
          long start = offsets.get(other.owner);
          if (at + block.bytes <= start) {
            break;
          }
          at = Math.max(at, start + other.bytes);
        }
      }
      offsets.put(block.owner, at);
      bytes = Math.max(bytes, at + block.bytes);
      int i = 0;
      while (i < placed.size() && offsets.get(placed.get(i).owner) <= at) {
        i++;
      }
      placed.add(i, block);
    }
  }

  /** Where an owner's block starts, in bytes. */
  public long offset(Object owner) {
    return offsets.get(owner);
  }

  /** Bytes of the arena. */
  public long bytes() {
    return bytes;
  }
}
