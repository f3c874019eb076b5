package org.swav4j.benchmarks.scaling;

import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Links between threads that are as slow as a network, by the clock: a message leaves behind those
 * that its sender sent before, at the bandwidth; its first byte is there after the latency, and it
 * comes in behind those whose first byte came earlier, at the bandwidth again. Receivers sleep
 * until all of it is there. Of what one thread sends to another, the first is received first.
 * Thread-safe.
 */
final class DelayedLinks implements AutoCloseable {
  private final Network network;
  private final AtomicLong sent = new AtomicLong();
  private final DelayQueue<Message> underWay = new DelayQueue<>();
  private final Thread carrier = new Thread(this::carry, "network");

  /** When the last byte of a worker's messages is through, by {@link System#nanoTime}. */
  private final long[] outFree;

  private final long[] inFree;
  private final BlockingQueue<Arrived>[][][] queues;

  /**
   * Begins to carry messages.
   *
   * @param workers at the ends
   * @param lanes of messages with an order of their own, on the same lines
   */
  @SuppressWarnings({"unchecked", "rawtypes"}) // arrays of a generic type
  DelayedLinks(Network network, int workers, int lanes) {
    this.network = network;
    this.outFree = new long[workers];
    this.inFree = new long[workers];
    long now = System.nanoTime();
    Arrays.fill(outFree, now);
    Arrays.fill(inFree, now);
    this.queues = new BlockingQueue[lanes][workers][workers];
    for (BlockingQueue<Arrived>[][] lane : queues) {
      for (BlockingQueue<Arrived>[] from : lane) {
        Arrays.setAll(from, to -> new LinkedBlockingQueue<>());
      }
    }
    carrier.setDaemon(true);
    carrier.start();
  }

  /**
   * A message on its way.
   *
   * @param begins when its first byte arrives
   * @param nanos that its bytes take
   * @param number in the order of sending
   */
  private record Message(
      int lane, int from, int to, double[] numbers, long begins, long nanos, long number)
      implements Delayed {
    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(begins - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
      Message message = (Message) other;
      int first = Long.compare(begins - message.begins, 0);
      return first != 0 ? first : Long.compare(number, message.number);
    }
  }

  private record Arrived(double[] numbers, long at) {}

  /**
   * Sends; returns at once.
   *
   * @param numbers must not be changed any more
   * @param bytes that they stand for
   */
  void send(int lane, int from, int to, double[] numbers, double bytes) {
    long nanos = Math.round(1e9 * network.seconds(bytes));
    long leaves;
    synchronized (outFree) {
      leaves = Math.max(outFree[from], System.nanoTime());
      outFree[from] = leaves + nanos;
    }
    long begins = leaves + Math.round(1e9 * network.latency());
    underWay.add(new Message(lane, from, to, numbers, begins, nanos, sent.getAndIncrement()));
  }

  private void carry() {
    try {
      while (true) {
        Message next = underWay.take();
        long at = Math.max(inFree[next.to()], next.begins()) + next.nanos();
        inFree[next.to()] = at;
        queues[next.lane()][next.from()][next.to()].add(new Arrived(next.numbers(), at));
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /**
   * The next message, as soon as all of it is there.
   *
   * @throws IllegalStateException if the thread is interrupted
   */
  double[] receive(int lane, int from, int to) {
    try {
      Arrived message = queues[lane][from][to].take();
      sleepUntil(message.at());
      return message.numbers();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for worker " + from, e);
    }
  }

  /** Sleeps, and takes no processor meanwhile. */
  static void sleepUntil(long nanoTime) throws InterruptedException {
    for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LockSupport.parkNanos(left);
    }
  }

  /** Carries no more. */
  @Override
  public void close() {
    carrier.interrupt();
  }
}
