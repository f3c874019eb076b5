package org.swav4j.data;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The threads that fill the rows of a {@link BatchRing} until it is closed. */
final class CropWorkers {
  private final List<Thread> threads = new ArrayList<>();

  /**
   * Starts the threads.
   *
   * @param makers makes one maker of rows per thread; what a maker throws goes to the consumer
   */
  CropWorkers(int count, BatchRing ring, Supplier<? extends Consumer<BatchRing.Row>> makers) {
    for (int i = 0; i < count; i++) {
      Consumer<BatchRing.Row> maker = makers.get();
      Thread thread = new Thread(() -> fill(ring, maker), "swav-crops-" + i);
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  private static void fill(BatchRing ring, Consumer<BatchRing.Row> maker) {
    for (BatchRing.Row row = ring.take(); row != null; row = ring.take()) {
      Throwable failure = null;
      try {
        maker.accept(row);
      } catch (Throwable e) { // the consumer's to handle, not this thread's
        failure = e;
      }
      ring.done(row, failure);
    }
  }

  /** Waits for the threads to end, each after the row it is at; an interrupt is kept for later. */
  void join() {
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
