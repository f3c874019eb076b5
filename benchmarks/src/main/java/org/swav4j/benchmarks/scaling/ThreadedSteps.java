package org.swav4j.benchmarks.scaling;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Steps on up to 16 workers that are threads, by the clock: is {@link StepModel} within 20 % of
 * what threads need that wait for each other over {@link DelayedLinks}? Sums are the collective's
 * (numbers from everybody to everybody; gradients cut into a segment of each worker, added in the
 * order of ranks and sent to all, by a second thread beside the first) and are really added, on one
 * number in a thousand, and checked. Computing is slept, since a machine with few processors can't
 * compute for 16. The control is the same with links that take no time, which tells what threads
 * and timers add.
 *
 * <pre>
 *   java -cp benchmarks/target/benchmarks.jar:... org.swav4j.benchmarks.scaling.ThreadedSteps COMPUTE LATENCY SLOWER
 * </pre>
 *
 * COMPUTE and LATENCY in seconds, as for {@link ScalingTable}; the steps are those of its
 * ResNet-18. Everything takes SLOWER times as long, and what is printed is divided by it, so that
 * what one machine needs to wake 32 threads counts less. A line for each number of workers, and in
 * it for each bandwidth: seconds by the clock, by the formula, and the latter by the former.
 */
public final class ThreadedSteps {
  private static final int[] WORKERS = {2, 4, 8, 16};
  private static final int[] GIGABITS = {1, 10, 100};
  private static final int STEPS = 2;

  /** Half the range of computing times, as in the simulation. */
  private static final double JITTER = 0.02;

  /** One number is really sent of so many. */
  private static final int THINNED = 1024;

  private static final int SMALL = 0;
  private static final int GRADIENTS = 1;

  private final StepWork work;
  private final Network network;
  private final int size;

  ThreadedSteps(StepWork work, Network network, int size) {
    this.work = work;
    this.network = network;
    this.size = size;
  }

  /** See the class. */
  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      System.err.println("expected COMPUTE LATENCY SLOWER, such as 6.4 0.0005 4");
      System.exit(2);
    }
    double slower = Double.parseDouble(args[2]);
    StepWork work = ScalingTable.resnet18(slower * Double.parseDouble(args[0]), true);
    double latency = slower * Double.parseDouble(args[1]);
    double most = 0;
    for (int workers : WORKERS) {
      StringBuilder line = new StringBuilder("| " + workers);
      for (int gigabits : GIGABITS) {
        Network network = Network.gigabits(gigabits / slower, latency);
        double seconds = new ThreadedSteps(work, network, workers).run(STEPS);
        double model = StepModel.of(work, network, workers).total();
        most = Math.max(most, Math.abs(model / seconds - 1));
        line.append(
            String.format(
                Locale.ROOT,
                " | %.3f, %.3f, %.2f",
                seconds / slower,
                model / slower,
                model / seconds));
      }
      double free = new ThreadedSteps(work, new Network(0, 1e18), workers).run(STEPS);
      line.append(
          String.format(
              Locale.ROOT,
              " | %.3f (computing alone %.3f)",
              free / slower,
              work.compute() / workers / slower));
      System.out.println(line.append(" |"));
    }
    System.out.printf(Locale.ROOT, "the formula is off by %.0f %% at most%n", 100 * most);
  }

  /**
   * Runs steps on as many pairs of threads as there are workers.
   *
   * @return mean seconds of a step
   * @throws IllegalStateException if a sum is not what it must be
   */
  double run(int steps) throws InterruptedException {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (DelayedLinks links = new DelayedLinks(network, size, 2)) {
      CompletionService<Void> all = new ExecutorCompletionService<>(threads);
      long start = System.nanoTime();
      for (int rank = 0; rank < size; rank++) {
        Worker worker = new Worker(rank, steps, links);
        all.submit(worker::compute);
        all.submit(worker::sumGradients);
      }
      for (int i = 0; i < 2 * size; i++) {
        all.take().get(); // one that fails is taken before those that wait for it
      }
      return (System.nanoTime() - start) / 1e9 / steps;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }

  private final class Worker {
    private final int rank;
    private final int steps;
    private final DelayedLinks links;
    private final Random random;

    /** Buckets that are final, by number, and those that are summed. */
    private final BlockingQueue<Integer> ready;

    private final BlockingQueue<Integer> summed;
    private long now;

    Worker(int rank, int steps, DelayedLinks links) {
      this.rank = rank;
      this.steps = steps;
      this.links = links;
      this.random = new Random(rank);
      this.ready = new ArrayBlockingQueue<>(work.buckets().size());
      this.summed = new ArrayBlockingQueue<>(work.buckets().size());
    }

    /** The thread that computes. */
    private Void compute() throws InterruptedException {
      for (int step = 0; step < steps; step++) {
        double share = work.compute() / size * (1 + JITTER * (2 * random.nextDouble() - 1));
        double done = 0;
        int bucket = 0;
        now = System.nanoTime();
        for (StepWork.Sum small : work.small()) {
          while (bucket < work.buckets().size()
              && work.buckets().get(bucket).after() <= small.after()) {
            done = computed(share, done, work.buckets().get(bucket).after());
            ready.put(bucket++);
          }
          done = computed(share, done, small.after());
          smallSum(thinned(small.numbers()), Double.BYTES * small.numbers());
          now = System.nanoTime();
        }
        for (; bucket < work.buckets().size(); bucket++) {
          done = computed(share, done, work.buckets().get(bucket).after());
          ready.put(bucket);
        }
        computed(share, done, 1);
        // Of the loss: there and back, as any array.
        smallSum(1, Float.BYTES);
        smallSum(1, Float.BYTES);
        for (int i = 0; i < work.buckets().size(); i++) {
          summed.take();
        }
      }
      return null;
    }

    /** From when it was last awake, so that oversleeping doesn't add up. */
    private double computed(double share, double from, double to) throws InterruptedException {
      now += Math.round(1e9 * share * (to - from));
      DelayedLinks.sleepUntil(now);
      return to;
    }

    private void smallSum(int numbers, double bytes) {
      double[] own = new double[numbers];
      Arrays.fill(own, rank + 1);
      for (int i = 1; i < size; i++) {
        links.send(SMALL, rank, (rank + i) % size, own, bytes);
      }
      require(inOrder(SMALL, own), numbers);
    }

    /** Adds everybody's, in the order of ranks. */
    private double[] inOrder(int lane, double[] own) {
      double[] total = new double[own.length];
      for (int peer = 0; peer < size; peer++) {
        double[] more = peer == rank ? own : links.receive(lane, peer, rank);
        for (int i = 0; i < total.length; i++) {
          total[i] += more[i];
        }
      }
      return total;
    }

    private void require(double[] total, int count) {
      double expected = size * (size + 1) / 2.0;
      if (total.length != count || Arrays.stream(total).anyMatch(sum -> sum != expected)) {
        throw new IllegalStateException(
            "worker " + rank + " has a sum other than " + expected + ": " + Arrays.toString(total));
      }
    }

    /** The thread that sums gradients. */
    private Void sumGradients() throws InterruptedException {
      for (int i = 0; i < steps * work.buckets().size(); i++) {
        int bucket = ready.take();
        sum(work.buckets().get(bucket).numbers());
        summed.put(bucket);
      }
      return null;
    }

    private void sum(long numbers) {
      int each = thinned(numbers / size);
      double bytes = Float.BYTES * (double) numbers / size;
      double[] own = new double[each];
      Arrays.fill(own, rank + 1);
      toAll(own, bytes);
      double[] segment = inOrder(GRADIENTS, own);
      toAll(segment, bytes);
      for (int peer = 0; peer < size; peer++) {
        require(peer == rank ? segment : links.receive(GRADIENTS, peer, rank), each);
      }
    }

    private void toAll(double[] segment, double bytes) {
      for (int i = 1; i < size; i++) {
        links.send(GRADIENTS, rank, (rank + i) % size, segment, bytes);
      }
    }
  }

  private static int thinned(long numbers) {
    return (int) Math.max(1, numbers / THINNED);
  }
}
