package org.swav4j.train.collective;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.sinkhorn.Reduction;

/**
 * Sums over the workers that train one network together, each on its own rows of the batch.
 * Gradients are summed by it after the backward pass, and Sinkhorn's column sums while codes are
 * computed, so that the codes are those of the whole batch.
 *
 * <p>Every worker makes the same calls in the same order and blocks until all have. Sums are added
 * in the order of ranks, so that all workers go on with the same bits and a run with the same
 * number of workers gives the same bits again. Of the network's state, the running statistics of
 * batch norm and the queue are each worker's own.
 *
 * <p>An instance belongs to one worker and is used by one thread.
 */
public interface Collective extends Reduction {
  /** Which worker this is, from 0. */
  int rank();

  /** How many workers there are, at least 1. */
  int size();

  /**
   * Replaces every element by its sum over all workers.
   *
   * @param array of the same shape and type everywhere; changed in place
   * @throws IllegalStateException if another worker does not come
   */
  void sum(INDArray array);

  /** A worker alone: changes nothing. */
  static Collective single() {
    return Single.INSTANCE;
  }

  /**
   * Workers that are threads of this process: element i is worker i's, to be used in a thread of
   * its own.
   *
   * @param count of workers
   * @throws IllegalArgumentException if {@code count < 1}
   */
  static List<Collective> threads(int count) {
    return ThreadCollective.of(count);
  }
}
