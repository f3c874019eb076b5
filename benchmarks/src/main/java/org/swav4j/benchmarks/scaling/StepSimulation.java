package org.swav4j.benchmarks.scaling;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Workers that send each other every message of a step, each a thread with a clock of its own that
 * computing, sending and waiting move on: how long it takes doesn't depend on the machine that
 * simulates. A worker's messages leave one behind the other at the bandwidth, and come in so.
 * Workers compute for times that differ at random, as those of machines do.
 */
final class StepSimulation {
  /** Bytes of a segment that are sent on at once, as the collective does. */
  private static final int CHUNK = 1 << 18;

  private final StepWork work;
  private final Network network;
  private final int size;
  private final double jitter;
  private final List<Worker> workers = new ArrayList<>();

  /**
   * @param jitter half the range of computing times, as a share of their mean: 0.02 for 2 %
   */
  StepSimulation(StepWork work, Network network, int size, double jitter) {
    this.work = work;
    this.network = network;
    this.size = size;
    this.jitter = jitter;
    for (int rank = 0; rank < size; rank++) {
      workers.add(new Worker(rank));
    }
  }

  /** A message on its way. */
  private record Message(int call, int from, double leaves, long bytes) {}

  /** Mean seconds of a step, over so many of them. */
  double run(int steps) throws InterruptedException {
    ExecutorService threads = Executors.newFixedThreadPool(size);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (Worker worker : workers) {
        running.add(threads.submit(() -> worker.train(steps)));
      }
      for (Future<?> each : running) {
        each.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } finally {
      threads.shutdownNow();
    }
    return workers.stream().mapToDouble(w -> w.clock).max().orElseThrow() / steps;
  }

  private final class Worker {
    private final int rank;
    private final BlockingQueue<Message> inbox = new LinkedBlockingQueue<>();
    private final List<Message> early = new ArrayList<>();
    private final Random random;
    private int received;
    private int sent;
    private double clock;
    private double outFree;
    private double inFree;

    Worker(int rank) {
      this.rank = rank;
      this.random = new Random(rank);
    }

    Void train(int steps) throws InterruptedException {
      int stretches = work.small().size() + 1;
      for (int step = 0; step < steps; step++) {
        double share = work.compute() / size * (1 + jitter * (2 * random.nextDouble() - 1));
        for (int n : work.small()) {
          clock += share / stretches;
          toAll((long) Double.BYTES * n);
          receive(size - 1, (long) Double.BYTES * n);
        }
        clock += share / stretches;
        gradients();
      }
      return null;
    }

    /** Each adds a segment of everybody's, and sends it on chunk by chunk. */
    private void gradients() throws InterruptedException {
      long segment = Float.BYTES * work.gradients() / size;
      toAll(segment);
      receive(size - 1, segment);
      long left = segment;
      while (left > 0) {
        long bytes = Math.min(CHUNK, left);
        toAll(bytes);
        left -= bytes;
      }
      left = segment;
      while (left > 0) {
        long bytes = Math.min(CHUNK, left);
        receive(size - 1, bytes);
        left -= bytes;
      }
    }

    private void toAll(long bytes) {
      int number = sent++;
      for (int i = 1; i < size; i++) {
        outFree = Math.max(clock, outFree) + network.seconds(bytes);
        workers
            .get((rank + i) % size)
            .inbox
            .add(new Message(number, rank, outFree + network.latency(), bytes));
      }
    }

    /** Waits for a call's messages from all others, which come in one behind the other. */
    private void receive(int count, long bytes) throws InterruptedException {
      int number = received++;
      List<Message> all = new ArrayList<>();
      early.removeIf(m -> m.call == number && all.add(m));
      while (all.size() < count) {
        Message message = inbox.take();
        (message.call == number ? all : early).add(message);
      }
      all.sort(Comparator.comparingDouble(Message::leaves).thenComparingInt(Message::from));
      for (Message message : all) {
        double begins = Math.max(inFree, message.leaves - network.seconds(bytes));
        inFree = begins + network.seconds(bytes);
      }
      clock = Math.max(clock, inFree);
    }
  }
}
