package org.swav4j.train.evaluation;

/** The largest of the longs it is offered: a binary heap with the least of them on top. */
final class LargestLongs {
  private final long[] heap;
  private int size;

  /**
   * @param capacity how many are kept, at least 1
   */
  LargestLongs(int capacity) {
    heap = new long[capacity];
  }

  int size() {
    return size;
  }

  boolean full() {
    return size == heap.length;
  }

  /** The least of those kept; there is one after the first {@link #offer}. */
  long least() {
    return heap[0];
  }

  /** One of those kept, in no particular order but that number 0 is the least. */
  long get(int i) {
    return heap[i];
  }

  /** Keeps a value while there is room or it is larger than the least, which then goes. */
  void offer(long value) {
    if (!full()) {
      int slot = size++;
      for (int parent = (slot - 1) / 2; slot > 0 && heap[parent] > value; ) {
        heap[slot] = heap[parent];
        slot = parent;
        parent = (slot - 1) / 2;
      }
      heap[slot] = value;
    } else if (value > heap[0]) {
      int slot = 0;
      for (int child = lesserChild(0); child < size && heap[child] < value; ) {
        heap[slot] = heap[child];
        slot = child;
        child = lesserChild(slot);
      }
      heap[slot] = value;
    }
  }

  private int lesserChild(int slot) {
    int left = 2 * slot + 1;
    return left + 1 < size && heap[left + 1] < heap[left] ? left + 1 : left;
  }
}
