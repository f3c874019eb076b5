package org.swav4j.sinkhorn;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Persistent daemon threads that help a caller through the numbered chunks of a job, without
 * allocating anything and without sleeping between jobs that follow each other closely.
 *
 * <p>Each worker has a share of the chunks of its own, the same in every job with as many, so that
 * what it wrote in one job is in its core's cache in the next. A thread that is done takes chunks
 * that others have not begun, so a helper that the machine has no core for costs nothing. Which
 * thread runs a chunk is left open: chunks must not share results. One caller at a time has the
 * pool; another finds it busy and works alone.
 */
final class WorkerPool {
  /** Runs one chunk of a job. {@code worker} is unlike those of other chunks running now. */
  interface Job {
    void run(int chunk, int worker);
  }

  /** As many as a ticket has bits for. */
  static final int MOST_CHUNKS = 0xFFFF;

  private static final int LIMIT = 64;

  /** Long enough for the gap between two passes over a matrix, short enough to waste nothing. */
  private static final long SPIN_NANOS = 100_000;

  private static final AtomicBoolean BUSY = new AtomicBoolean();
  private static final Helper[] HELPERS = new Helper[LIMIT];
  private static int started;

  /** Words between two workers' tickets, so that they are in cache lines of their own. */
  private static final int APART = 16;

  /**
   * A worker's share: job number (32 bits), end (16), next chunk (16). One word, so that a claim
   * can't be stale.
   */
  private static final AtomicLongArray TICKETS = new AtomicLongArray(LIMIT * APART);

  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static final AtomicInteger DONE = new AtomicInteger();
  private static volatile Throwable failure;
  private static Job job;
  private static int wanted;

  private WorkerPool() {}

  /** Takes the pool; to be followed by {@link #release} if it returns true. */
  static boolean acquire() {
    return BUSY.compareAndSet(false, true);
  }

  static void release() {
    BUSY.set(false);
  }

  /**
   * Runs chunks 0 to {@code chunks - 1} on this thread (worker 0) and up to {@code threads - 1}
   * helpers; returns when all are done. The pool must have been acquired, chunks is at most {@link
   * #MOST_CHUNKS}.
   */
  static void run(Job task, int chunks, int threads) {
    int helpers = Math.min(Math.min(threads, chunks), LIMIT) - 1;
    startUpTo(helpers);
    job = task;
    wanted = helpers;
    failure = null;
    DONE.set(0);
    int number = NUMBER.get() + 1;
    for (int worker = 0; worker <= helpers; worker++) {
      long next = (long) worker * chunks / (helpers + 1);
      long end = (worker + 1L) * chunks / (helpers + 1);
      TICKETS.set(worker * APART, (long) number << 32 | end << 16 | next);
    }
    NUMBER.set(number);
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

  private static void startUpTo(int helpers) {
    while (started < helpers) {
      Helper helper = new Helper(started + 1);
      HELPERS[started++] = helper;
      helper.start();
    }
  }

  /** Runs chunks of this job, its own share first, until none is left; returns how many. */
  private static int help(int worker, int number) {
    int ran = 0;
    int workers = wanted + 1;
    for (int i = 0; i < workers; i++) {
      int share = (worker + i) % workers * APART;
      long ticket = TICKETS.get(share);
      while (ticket >>> 32 == Integer.toUnsignedLong(number)
          && (ticket & 0xFFFF) < (ticket >>> 16 & 0xFFFF)) {
        if (TICKETS.compareAndSet(share, ticket, ticket + 1)) {
          run((int) (ticket & 0xFFFF), worker);
          ran++;
        }
        ticket = TICKETS.get(share);
      }
    }
    return ran;
  }

  private static void run(int chunk, int worker) {
    try {
      job.run(chunk, worker);
    } catch (Throwable e) {
      failure = e;
    }
    if (worker != 0) {
      DONE.incrementAndGet();
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
      int seen = 0;
      while (true) {
        int number = NUMBER.get();
        if (number != seen) {
          seen = number;
          if (worker <= wanted) {
            help(worker, seen);
            idleSince = System.nanoTime();
          }
        } else if (System.nanoTime() - idleSince < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          parked = true;
          if (NUMBER.get() == seen) {
            LockSupport.park(this);
          }
          parked = false;
          idleSince = System.nanoTime();
        }
      }
    }
  }
}
