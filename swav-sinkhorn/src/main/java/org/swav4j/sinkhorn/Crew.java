package org.swav4j.sinkhorn;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Persistent daemon threads that help a caller through the numbered chunks of a job, without
 * allocating anything and without sleeping between jobs that follow each other closely.
 *
 * <p>The caller works too and takes whatever chunk is next, so a helper that the machine has no
 * core for costs nothing. Which thread runs a chunk is left open: chunks must not share results.
 * One caller at a time has the crew; another finds it busy and works alone.
 */
final class Crew {
  /** Runs one chunk of a job. {@code worker} is unlike those of other chunks running now. */
  interface Job {
    void run(int chunk, int worker);
  }

  private static final int LIMIT = 64;

  /** Long enough for the gap between two passes over a matrix, short enough to waste nothing. */
  private static final long SPIN_NANOS = 100_000;

  private static final AtomicBoolean BUSY = new AtomicBoolean();
  private static final Helper[] HELPERS = new Helper[LIMIT];
  private static int hired;

  /**
   * Job number (32 bits), chunks (16), next chunk (16): one word, so that a claim can't be stale.
   */
  private static final AtomicLong TICKET = new AtomicLong();

  private static final AtomicInteger DONE = new AtomicInteger();
  private static volatile Throwable failure;
  private static Job job;
  private static int wanted;

  private Crew() {}

  /** Takes the crew; to be followed by {@link #release} if it returns true. */
  static boolean acquire() {
    return BUSY.compareAndSet(false, true);
  }

  static void release() {
    BUSY.set(false);
  }

  /**
   * Runs chunks 0 to {@code chunks - 1} on this thread (worker 0) and up to {@code threads - 1}
   * helpers; returns when all are done. The crew must have been acquired.
   */
  static void run(Job task, int chunks, int threads) {
    int helpers = Math.min(Math.min(threads, chunks), LIMIT) - 1;
    hire(helpers);
    job = task;
    wanted = helpers;
    failure = null;
    DONE.set(0);
    long number = (TICKET.get() >>> 32) + 1;
    TICKET.set(number << 32 | (long) chunks << 16);
    for (int i = 0; i < helpers; i++) {
      HELPERS[i].wake();
    }
    int mine = help(0, number);
    if (DONE.addAndGet(mine) < chunks) {
      while (DONE.get() < chunks) {
        Thread.onSpinWait();
      }
    }
    job = null;
    Throwable thrown = failure;
    if (thrown != null) {
      throw new IllegalStateException("a Sinkhorn worker thread failed", thrown);
    }
  }

  private static void hire(int helpers) {
    while (hired < helpers) {
      Helper helper = new Helper(hired + 1);
      HELPERS[hired++] = helper;
      helper.start();
    }
  }

  /** Claims and runs chunks of this job until none is left; returns how many. */
  private static int help(int worker, long number) {
    int ran = 0;
    while (true) {
      long ticket = TICKET.get();
      if (ticket >>> 32 != number || (ticket & 0xFFFF) >= (ticket >>> 16 & 0xFFFF)) {
        return ran;
      }
      if (TICKET.compareAndSet(ticket, ticket + 1)) {
        try {
          job.run((int) (ticket & 0xFFFF), worker);
        } catch (Throwable e) {
          failure = e;
        }
        if (worker == 0) {
          ran++;
        } else {
          DONE.incrementAndGet();
        }
      }
    }
  }

  private static final class Helper extends Thread {
    private final int worker;
    private volatile boolean parked;

    Helper(int worker) {
      super("swav-sinkhorn-" + worker);
      this.worker = worker;
      setDaemon(true);
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      long idleSince = System.nanoTime();
      long seen = 0;
      while (true) {
        long ticket = TICKET.get();
        if (ticket >>> 32 != seen) {
          seen = ticket >>> 32;
          if (worker <= wanted) {
            help(worker, seen);
            idleSince = System.nanoTime();
          }
        } else if (System.nanoTime() - idleSince < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          parked = true;
          if (TICKET.get() >>> 32 == seen) {
            LockSupport.park(this);
          }
          parked = false;
          idleSince = System.nanoTime();
        }
      }
    }
  }
}
