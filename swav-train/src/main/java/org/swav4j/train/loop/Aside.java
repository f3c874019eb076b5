package org.swav4j.train.loop;

import java.util.function.IntConsumer;

/**
 * Does work that grows, on a thread of its own, as far as it is asked to: the training thread says
 * how many gradients are final and goes on, and waits at the end of the step. What fails here,
 * fails there. Apart from the thread here, for one thread.
 */
final class Aside implements AutoCloseable {
  private final IntConsumer work;
  private final int all;
  private final Thread thread;

  // Guarded by this.
  private int asked;
  private int done;
  private Throwable failure;
  private boolean closed;

  /**
   * The thread starts when there is something to do.
   *
   * @param work is told how far it may go, always farther than before, and at last all; then from
   *     the beginning
   * @param all as far as it goes in a step
   */
  Aside(String name, int all, IntConsumer work) {
    this.work = work;
    this.all = all;
    this.thread = new Thread(this::run, name);
    thread.setDaemon(true);
  }

  private void run() {
    try {
      for (int next = awaitWork(); next > 0; next = awaitWork()) {
        work.accept(next);
        finished(next);
      }
    } catch (Throwable t) {
      failed(t);
    }
  }

  private synchronized int awaitWork() throws InterruptedException {
    while (asked == done && !closed) {
      wait();
    }
    return closed ? 0 : asked;
  }

  private synchronized void finished(int count) {
    done = count;
    notifyAll();
  }

  private synchronized void failed(Throwable cause) {
    failure = cause;
    notifyAll();
  }

  /**
   * Lets the work go on; returns at once.
   *
   * @param count how far
   * @throws IllegalStateException if it has failed before
   */
  synchronized void upTo(int count) {
    requireNoFailure();
    asked = count;
    notifyAll();
    if (thread.getState() == Thread.State.NEW) {
      thread.start();
    }
  }

  /**
   * Waits until all of it is done.
   *
   * @throws IllegalStateException if it fails, or this thread is interrupted
   */
  synchronized void await() {
    while (done < all) {
      requireNoFailure();
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while waiting for sums of gradients", e);
      }
    }
    asked = 0;
    done = 0;
  }

  private void requireNoFailure() {
    if (failure != null) {
      throw new IllegalStateException(
          "gradients can't be summed over the workers: " + failure.getMessage(), failure);
    }
  }

  /** Interrupts the work, if any is left, and returns when the thread has ended. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
      if (asked != done) {
        thread.interrupt();
      }
    }
    // The memory that it works on may be gone after this.
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
