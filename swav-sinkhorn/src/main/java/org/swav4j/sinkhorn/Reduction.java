package org.swav4j.sinkhorn;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.function.DoubleBinaryOperator;

/**
 * Combines values over the shards of a batch, so that rows spread over workers are solved as one
 * problem: only sums and maxima over samples cross shards, [K] doubles at a time, and the rows stay
 * where they are.
 *
 * <p>Every shard must make the same calls in the same order, as in any collective operation. An
 * implementation over a network provides the two methods as all-reduces.
 */
public interface Reduction {

  /** Replaces every element by its sum over all shards; blocks until each has called. */
  void sum(double[] values);

  /** Replaces every element by its maximum over all shards; blocks until each has called. */
  void max(double[] values);

  /** The reduction of a batch that is in one piece: changes nothing. */
  static Reduction whole() {
    return Whole.INSTANCE;
  }

  /**
   * Connected reductions for shards solved by threads of this process: element i belongs to shard
   * i, which must run in a thread of its own.
   *
   * @throws IllegalArgumentException if {@code count < 1}
   */
  static List<Reduction> shards(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("shards: " + count + ", expected at least 1");
    }
    SharedMemory shared = new SharedMemory(count);
    List<Reduction> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(shared.shard(i));
    }
    return List.copyOf(all);
  }

  /** Nothing to combine. */
  enum Whole implements Reduction {
    INSTANCE;

    @Override
    public void sum(double[] values) {}

    @Override
    public void max(double[] values) {}
  }

  /** Threads that meet twice per call: once when all values are there, once when all are read. */
  final class SharedMemory {
    private final double[][] given;
    private final CyclicBarrier barrier;

    private SharedMemory(int count) {
      given = new double[count][];
      barrier = new CyclicBarrier(count);
    }

    private Reduction shard(int index) {
      return new Reduction() {
        @Override
        public void sum(double[] values) {
          combine(index, values, Double::sum);
        }

        @Override
        public void max(double[] values) {
          combine(index, values, Math::max);
        }
      };
    }

    private void combine(int index, double[] values, DoubleBinaryOperator operator) {
      given[index] = values.clone();
      await();
      // Every shard adds in the same order, so that all go on with the same bits.
      for (int j = 0; j < values.length; j++) {
        double total = given[0][j];
        for (int i = 1; i < given.length; i++) {
          total = operator.applyAsDouble(total, given[i][j]);
        }
        values[j] = total;
      }
      await();
    }

    private void await() {
      try {
        barrier.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while waiting for the other shards", e);
      } catch (BrokenBarrierException e) {
        throw new IllegalStateException("another shard failed: its own error says why", e);
      }
    }
  }
}
