package org.swav4j.model.engine.onednn;

/**
 * Bytes that tensors lie in. Either outside ({@code address} known from the start) or in the arena,
 * alive from the first step that touches it to the last; {@link
 * org.swav4j.model.engine.ArenaLayout} then gives its place.
 */
final class Buffer {
  final long bytes;
  private final long external;
  private int first = Integer.MAX_VALUE;
  private int last = -1;
  private long offset = -1;
  private boolean shared;

  private Buffer(long bytes, long external) {
    this.bytes = bytes;
    this.external = external;
  }

  static Buffer inArena(long bytes) {
    return new Buffer(bytes, 0);
  }

  static Buffer at(long address, long bytes) {
    return new Buffer(bytes, address);
  }

  boolean isExternal() {
    return external != 0;
  }

  /** Several values lie in it, so that none may be overwritten when one of them dies. */
  boolean isShared() {
    return shared;
  }

  void share() {
    shared = true;
  }

  void touch(int step) {
    first = Math.min(first, step);
    last = Math.max(last, step);
  }

  /** Alive from before the first step to after the last: filled once, kept for all runs. */
  void keep() {
    first = 0;
    last = Integer.MAX_VALUE;
  }

  int first() {
    return first;
  }

  int last() {
    return last;
  }

  void place(long offset) {
    this.offset = offset;
  }

  long address(long arena) {
    return isExternal() ? external : arena + offset;
  }
}
