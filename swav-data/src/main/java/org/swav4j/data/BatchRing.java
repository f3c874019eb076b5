package org.swav4j.data;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;

/**
 * Batches that go round between the workers, who fill their rows, and one consumer, who takes them
 * in the order of the epoch:
 *
 * <pre>
 *   FREE → FILLING (its rows given out one by one) → READY → HANDED_OUT → FREE
 * </pre>
 *
 * <p>Batches are begun in order, across the end of an epoch too, so the workers run ahead by as
 * many batches as the ring has beside the one in use. When the consumer asks for another epoch than
 * the one in line, everything made is dropped: the generation counts such turns, and rows of an
 * older one only free their batch. Thread-safe; {@link #begin}, {@link #next} and {@link #giveBack}
 * are the consumer's, {@link #take} and {@link #done} the workers'.
 */
final class BatchRing {
  /** Whose turn it is with a batch. */
  private enum State {
    FREE,
    FILLING,
    READY,
    HANDED_OUT
  }

  /** One place of the ring; its fields are guarded by the ring's lock. */
  private static final class Slot {
    private final MultiCropBatch batch;
    private State state = State.FREE;
    private long generation;
    private int epoch;
    private int number;
    private int[] order;
    private int nextRow;
    private int rowsDone;
    private Throwable failure;

    Slot(MultiCropBatch batch) {
      this.batch = batch;
    }
  }

  /** What a worker is to make: the crops of image {@code index} in one row of a batch. */
  static final class Row {
    private final Slot slot;
    private final int row;
    private final int index;
    private final int epoch;

    private Row(Slot slot, int row, int index) {
      this.slot = slot;
      this.row = row;
      this.index = index;
      this.epoch = slot.epoch;
    }

    MultiCropBatch batch() {
      return slot.batch;
    }

    /** The row in its batch. */
    int row() {
      return row;
    }

    /** The image that is due, by its index in the source. */
    int index() {
      return index;
    }

    int epoch() {
      return epoch;
    }
  }

  private final String name;
  private final List<Slot> slots;
  private final int rows;
  private final int batchesPerEpoch;
  private final IntFunction<int[]> orders;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition ready = lock.newCondition();

  // Guarded by the lock: what the workers make next.
  private boolean started;
  private boolean closed;
  private long generation;
  private int nextEpoch;
  private int nextBatch;
  private int[] nextOrder;

  // Guarded by the lock: where the consumer is.
  private int consumedEpoch = -1;
  private int consumedBatch;
  private long turn;

  private volatile long waited;

  /**
   * @param name of the source, for messages
   * @param batches of the same size, at least two
   * @param batchesPerEpoch at least 1
   * @param orders the images of an epoch in their order, at least {@code batchesPerEpoch} times the
   *     batch's size
   */
  BatchRing(
      String name, List<MultiCropBatch> batches, int batchesPerEpoch, IntFunction<int[]> orders) {
    this.name = name;
    this.slots = batches.stream().map(Slot::new).toList();
    this.rows = batches.get(0).size();
    this.batchesPerEpoch = batchesPerEpoch;
    this.orders = orders;
  }

  /** Nanoseconds that the consumer has waited in all. */
  long waitedNanos() {
    return waited;
  }

  /**
   * Turns to a batch of an epoch; what was being made is kept if it is the start of that epoch and
   * asked for.
   *
   * @param first number of the first batch wanted; those before it are not made
   * @return the turn, which {@link #hasNext} and {@link #next} ask for: an iteration that was begun
   *     earlier has ended
   */
  long begin(int epoch, int first) {
    lock.lock();
    try {
      requireOpen();
      if (!started || first > 0 || !nextInLineIs(epoch)) {
        restart(epoch, first);
      }
      consumedEpoch = epoch;
      consumedBatch = first;
      work.signalAll();
      return ++turn;
    } finally {
      lock.unlock();
    }
  }

  /** Throws away what was prepared; rows still being made free their batch when they are done. */
  private void restart(int epoch, int first) {
    started = true;
    generation++;
    nextEpoch = epoch;
    nextBatch = first;
    nextOrder = null;
    for (Slot s : slots) {
      boolean idle = s.state == State.FILLING && s.rowsDone == s.nextRow;
      if (s.state == State.READY || idle) {
        s.state = State.FREE;
      }
    }
  }

  /** Whether what is being prepared starts with this epoch: nothing then has to be thrown away. */
  private boolean nextInLineIs(int epoch) {
    return consumedBatch == batchesPerEpoch && epoch == consumedEpoch + 1;
  }

  /** Whether the epoch of this turn has a batch left. */
  boolean hasNext(long turn) {
    lock.lock();
    try {
      return turn == this.turn && consumedBatch < batchesPerEpoch;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for the next batch of the epoch.
   *
   * @throws NoSuchElementException if the epoch is over or the turn isn't the newest
   * @throws UncheckedIOException if no image can be read
   * @throws IllegalStateException if the ring is closed, a worker failed, the thread is interrupted
   *     or the consumer holds every batch
   */
  MultiCropBatch next(long turn) {
    lock.lock();
    try {
      requireOpen();
      if (!hasNext(turn)) {
        throw new NoSuchElementException("the epoch is over, or another has been started");
      }
      return await();
    } finally {
      lock.unlock();
    }
  }

  private MultiCropBatch await() {
    long start = System.nanoTime();
    try {
      while (true) {
        Slot s = due();
        if (s != null && s.state == State.READY) {
          consumedBatch++;
          if (s.failure != null) {
            s.state = State.FREE;
            work.signalAll();
            throw failed(s);
          }
          s.state = State.HANDED_OUT;
          return s.batch;
        }
        if (slots.stream().allMatch(x -> x.state == State.HANDED_OUT)) {
          throw new IllegalStateException(
              slots.size() + " batches are held by the consumer: close() each after its use");
        }
        ready.await();
        requireOpen();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a batch of crops", e);
    } finally {
      waited += System.nanoTime() - start;
    }
  }

  /** The batch that the consumer is due, if it has been begun. */
  private Slot due() {
    for (Slot s : slots) {
      if ((s.state == State.FILLING || s.state == State.READY)
          && s.generation == generation
          && s.epoch == consumedEpoch
          && s.number == consumedBatch) {
        return s;
      }
    }
    return null;
  }

  private RuntimeException failed(Slot s) {
    if (s.failure instanceof UncheckedIOException e) {
      return new UncheckedIOException(e.getMessage(), e.getCause());
    }
    return new IllegalStateException(
        String.format(
            Locale.ROOT,
            "making batch %d of epoch %d from %s failed: %s",
            s.number,
            s.epoch,
            name,
            s.failure),
        s.failure);
  }

  /** Takes back a batch that was handed out; does nothing for one that wasn't. */
  void giveBack(MultiCropBatch batch) {
    lock.lock();
    try {
      for (Slot s : slots) {
        if (s.batch == batch && s.state == State.HANDED_OUT) {
          s.state = State.FREE;
          work.signalAll();
          if (closed) {
            batch.free();
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the loader of " + name + " is closed");
    }
  }

  /** Waits for a row to make; null when the ring is closed. */
  Row take() {
    lock.lock();
    try {
      while (!closed) {
        Slot s = started ? toFill() : null;
        if (s != null) {
          int row = s.nextRow++;
          return new Row(s, row, s.order[s.number * rows + row]);
        }
        work.awaitUninterruptibly();
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  /** A batch that has rows left to give out: one that is begun before a free one; null if none. */
  private Slot toFill() {
    Slot free = null;
    for (Slot s : slots) {
      if (s.state == State.FILLING && s.generation == generation && s.nextRow < rows) {
        return s;
      }
      if (s.state == State.FREE) {
        free = s;
      }
    }
    if (free != null) {
      beginBatch(free);
    }
    return free;
  }

  private void beginBatch(Slot s) {
    if (nextBatch == batchesPerEpoch) {
      nextEpoch++;
      nextBatch = 0;
      nextOrder = null;
    }
    if (nextOrder == null) {
      nextOrder = orders.apply(nextEpoch);
    }
    s.state = State.FILLING;
    s.generation = generation;
    s.epoch = nextEpoch;
    s.number = nextBatch++;
    s.order = nextOrder;
    s.nextRow = 0;
    s.rowsDone = 0;
    s.failure = null;
    if (rows > 1) {
      work.signalAll();
    }
  }

  /**
   * Tells that a row is made.
   *
   * @param failure what went wrong, or null; the consumer gets it in place of the batch
   */
  void done(Row row, Throwable failure) {
    lock.lock();
    try {
      Slot s = row.slot;
      s.rowsDone++;
      if (failure != null && s.failure == null) {
        s.failure = failure;
      }
      boolean stale = s.generation != generation;
      if (failure != null || stale) {
        // No use in the rest of a batch that can't be delivered.
        s.rowsDone += rows - s.nextRow;
        s.nextRow = rows;
      }
      if (s.rowsDone == rows) {
        s.state = stale ? State.FREE : State.READY;
        (stale ? work : ready).signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends the workers' and the consumer's waiting.
   *
   * @return whether it was open until now
   */
  boolean close() {
    lock.lock();
    try {
      boolean first = !closed;
      closed = true;
      work.signalAll();
      ready.signalAll();
      return first;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Frees the memory of the batches, once the ring is closed and the workers have ended; of one
   * that the consumer holds when it is given back.
   */
  void free() {
    lock.lock();
    try {
      slots.stream().filter(s -> s.state != State.HANDED_OUT).forEach(s -> s.batch.free());
    } finally {
      lock.unlock();
    }
  }
}
