package org.swav4j.model.engine.onednn;

/**
 * A layout at a place.
 *
 * @param buffer where
 * @param offset bytes into the buffer
 * @param layout how
 */
record Tensor(Buffer buffer, long offset, Layout layout) {
  static Tensor in(Layout layout) {
    return new Tensor(Buffer.inArena(layout.bytes()), 0, layout);
  }

  /** The same bytes seen otherwise. */
  Tensor as(Layout other) {
    return new Tensor(buffer, offset, other);
  }

  /** The same bytes seen otherwise, further on. */
  Tensor at(long bytes, Layout other) {
    return new Tensor(buffer, offset + bytes, other);
  }

  boolean samePlace(Tensor other) {
    return buffer == other.buffer && offset == other.offset;
  }
}
