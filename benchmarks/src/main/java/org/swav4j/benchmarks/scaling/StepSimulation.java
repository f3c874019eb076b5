package org.swav4j.benchmarks.scaling;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.BooleanSupplier;

/**
 * Workers that send each other every message of a step, event by event on a clock of its own: how
 * long it takes doesn't depend on the machine that simulates. Each worker has two lanes, one that
 * computes and makes small sums, and one that sums the gradients as far as the first has got. Both
 * share the line: messages leave a worker one behind the other at the bandwidth, and come in so.
 * Workers compute for times that differ at random, as those of machines do.
 */
final class StepSimulation {
  /** Bytes of a segment that are sent on at once, as the collective does. */
  private static final int CHUNK = 1 << 22;

  private final StepWork work;
  private final Network network;
  private final int size;
  private final double jitter;
  private final List<Worker> workers = new ArrayList<>();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingDouble(Event::time).thenComparingLong(Event::number));
  private long scheduled;
  private double now;

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

  /** Something that happens; of those at the same time, the first scheduled is first. */
  private record Event(double time, long number, Runnable what) {}

  private void at(double time, Runnable what) {
    events.add(new Event(time, scheduled++, what));
  }

  /** Mean seconds of a step, over so many of them. */
  double run(int steps) {
    for (Worker worker : workers) {
      for (int step = 0; step < steps; step++) {
        worker.step();
      }
      at(0, worker::advance);
    }
    while (!events.isEmpty()) {
      Event next = events.poll();
      now = next.time();
      next.what().run();
    }
    if (!workers.stream().allMatch(Worker::isDone)) {
      throw new IllegalStateException("workers wait for each other");
    }
    return now / steps;
  }

  private final class Worker {
    private final int rank;
    private final Random random;
    private final Lane main = new Lane(this, 0);
    private final Lane gradients = new Lane(this, 1);
    private double outFree;
    private double inFree;
    private int ready;
    private int summed;
    private int asked;

    Worker(int rank) {
      this.rank = rank;
      this.random = new Random(rank);
    }

    /** Adds what a step does to both lanes. */
    void step() {
      double share = work.compute() / size * (1 + jitter * (2 * random.nextDouble() - 1));
      double done = 0;
      int bucket = 0;
      for (StepWork.Sum small : work.small()) {
        while (bucket < work.buckets().size()
            && work.buckets().get(bucket).after() <= small.after()) {
          done = computed(share, done, work.buckets().get(bucket++).after());
          main.then(this::isReady);
        }
        done = computed(share, done, small.after());
        main.exchange(Double.BYTES * small.numbers());
      }
      for (; bucket < work.buckets().size(); bucket++) {
        done = computed(share, done, work.buckets().get(bucket).after());
        main.then(this::isReady);
      }
      computed(share, done, 1);
      main.exchange(Float.BYTES); // the loss
      main.exchange(Float.BYTES);
      for (StepWork.Sum each : work.buckets()) {
        int number = asked++;
        gradients.then(() -> ready > number);
        sum(Float.BYTES * each.numbers() / size);
        gradients.then(this::isSummed);
      }
      int all = asked;
      main.then(() -> summed == all);
    }

    private double computed(double share, double from, double to) {
      main.compute(share * (to - from));
      return to;
    }

    private boolean isReady() {
      ready++;
      at(now, this::advance);
      return true;
    }

    private boolean isSummed() {
      summed++;
      at(now, this::advance);
      return true;
    }

    /** Each adds a segment of everybody's, and sends it on chunk by chunk. */
    private void sum(long segment) {
      gradients.exchange(segment);
      for (long left = segment; left > 0; left -= CHUNK) {
        gradients.send(Math.min(CHUNK, left));
      }
      for (long left = segment; left > 0; left -= CHUNK) {
        gradients.receive();
      }
    }

    void advance() {
      main.advance();
      gradients.advance();
    }

    boolean isDone() {
      return main.todo.isEmpty() && gradients.todo.isEmpty();
    }

    /** A message leaves behind the others. */
    void send(Worker to, int lane, int call, long bytes) {
      double seconds = network.seconds(bytes);
      outFree = Math.max(now, outFree) + seconds;
      at(outFree - seconds + network.latency(), () -> to.comesIn(lane, call, seconds));
    }

    /** Its first byte is here. */
    private void comesIn(int lane, int call, double seconds) {
      inFree = Math.max(now, inFree) + seconds;
      at(inFree, () -> (lane == 0 ? main : gradients).arrived(call));
    }
  }

  /** What a thread of a worker has to do, one thing after the other. */
  private final class Lane {
    private final Worker worker;
    private final int number;

    /** Each tells whether it is done; it is asked again when something has happened. */
    private final Deque<BooleanSupplier> todo = new ArrayDeque<>();

    private final Map<Integer, Integer> arrived = new HashMap<>();
    private int sends;
    private int receives;
    private boolean computing;
    private double computed;

    Lane(Worker worker, int number) {
      this.worker = worker;
      this.number = number;
    }

    void advance() {
      while (!todo.isEmpty() && todo.peek().getAsBoolean()) {
        todo.remove();
      }
    }

    void then(BooleanSupplier what) {
      todo.add(what);
    }

    void compute(double seconds) {
      then(
          () -> {
            if (!computing) {
              computing = true;
              computed = now + seconds;
              at(computed, this::advance);
            }
            computing = now < computed;
            return !computing;
          });
    }

    /** To all, and from all. */
    void exchange(long bytes) {
      send(bytes);
      receive();
    }

    void send(long bytes) {
      int call = sends++;
      then(
          () -> {
            for (int i = 1; i < size; i++) {
              worker.send(workers.get((worker.rank + i) % size), number, call, bytes);
            }
            return true;
          });
    }

    void receive() {
      int call = receives++;
      then(() -> arrived.getOrDefault(call, 0) == size - 1);
    }

    void arrived(int call) {
      arrived.merge(call, 1, Integer::sum);
      advance();
    }
  }
}
