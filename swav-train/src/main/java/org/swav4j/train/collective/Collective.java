package org.swav4j.train.collective;

import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.sinkhorn.Reduction;

/**
 * Sums over the workers that train one network together, each on its own rows of the batch.
 * Gradients are summed by it during the backward pass, Sinkhorn's column sums while codes are
 * computed, and the moments of batch norm while the network runs, so that all of it is as on one
 * machine with the whole batch.
 *
 * <p>Every worker makes the same calls in the same order and blocks until all have. Sums are added
 * in the order of ranks, so that all workers go on with the same bits and a run with the same
 * number of workers gives the same bits again. A call that can't be completed, since another worker
 * has failed or a connection is lost, throws; the instance is then of no more use.
 *
 * <p>An instance belongs to one worker and is used by one thread. Another thread of the same worker
 * uses the {@link #lane}, on which the same holds: each of the two has an order of calls of its
 * own, and how the two mix may differ from worker to worker.
 */
public interface Collective extends Reduction, AllReduce, AutoCloseable {
  /** Which worker this is, from 0. */
  int rank();

  /** How many workers there are, at least 1. */
  @Override
  int size();

  /**
   * Replaces every element by its sum over all workers, the same bits for each; blocks until all
   * have called.
   *
   * @throws IllegalStateException if another worker does not come
   */
  @Override
  void sum(double[] values);

  /**
   * Replaces every element by its sum over all workers. Half floats are added as floats and rounded
   * once.
   *
   * @param array of the same shape and type everywhere; changed in place
   * @throws IllegalStateException if another worker does not come
   */
  void sum(INDArray array);

  /**
   * The rows of all workers below each other, in the order of ranks. For what is kept or looked at
   * now and then, not for every step: it allocates.
   *
   * @param rows of the same shape {@code [n, ...]} and type everywhere; unchanged
   * @return {@code [size·n, ...]}, an array of the caller's own
   * @throws IllegalStateException if another worker does not come
   */
  INDArray gather(INDArray rows);

  /**
   * The second lane: a collective of the same workers, for another thread, whose calls go on beside
   * those of this one. The same instance at each call; closed with this one.
   *
   * @return empty if there is none: gradients are then summed after the backward pass
   */
  default Optional<Collective> lane() {
    return Optional.empty();
  }

  /** These workers, for the moments of batch norm: one that times its calls tells them apart. */
  default AllReduce norms() {
    return this;
  }

  /** These workers, for codes: one that times its calls tells them apart. */
  default Reduction codes() {
    return this;
  }

  /**
   * Waits for gradients that are still being summed on the second lane when the backward pass is
   * over: one that times its calls counts it by itself.
   *
   * @param lane returns when they are there, and throws if they won't come
   */
  default void awaitGradients(Runnable lane) {
    lane.run();
  }

  /**
   * This worker leaves: calls in which another one waits for it, on either lane, and all that come
   * later, fail. May be called by any thread.
   */
  @Override
  default void close() {}

  /** A worker alone: changes nothing. */
  static Collective single() {
    return Single.INSTANCE;
  }

  /**
   * Workers that are threads of this process: element i is worker i's, to be used in a thread of
   * its own and closed at its end, also if it ends by an error: the others would wait for it for
   * ten minutes.
   *
   * @param count of workers
   * @throws IllegalArgumentException if {@code count < 1}
   */
  static List<Collective> threads(int count) {
    return ThreadCollective.of(count);
  }
}
