package org.swav4j.train.method;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.collective.Collective;

/**
 * Rows of earlier batches, of which each worker keeps those that it made. Of every batch loaded,
 * the worker of rank r has rows r·b up to (r+1)·b, b being its share; so in memory of several
 * batches its rows lie every N·b rows.
 */
final class Shares {
  private final Collective collective;
  private final long rows;

  /**
   * @param rows b, those of a loaded batch that each worker has
   */
  Shares(Collective collective, long rows) {
    this.collective = collective;
    this.rows = rows;
  }

  /**
   * The whole from what each worker has; all must call.
   *
   * @param own {@code [n·b, D]}
   * @return {@code [n·N·b, D]}, as one worker would have it
   */
  INDArray whole(INDArray own) {
    int workers = collective.size();
    if (workers == 1) {
      return own;
    }
    INDArray byRank = collective.gather(own);
    INDArray whole = Nd4j.createUninitialized(own.dataType(), workers * own.size(0), own.size(1));
    long batches = own.size(0) / rows;
    for (long batch = 0; batch < batches; batch++) {
      for (int rank = 0; rank < workers; rank++) {
        block(whole, batch * workers + rank).assign(block(byRank, rank * batches + batch));
      }
    }
    return whole;
  }

  /**
   * What this worker has of the whole: the inverse of {@link #whole}.
   *
   * @param whole {@code [n·N·b, D]}
   * @return {@code [n·b, D]}
   */
  INDArray own(INDArray whole) {
    int workers = collective.size();
    if (workers == 1) {
      return whole;
    }
    INDArray own =
        Nd4j.createUninitialized(whole.dataType(), whole.size(0) / workers, whole.size(1));
    for (long batch = 0; batch < own.size(0) / rows; batch++) {
      block(own, batch).assign(block(whole, batch * workers + collective.rank()));
    }
    return own;
  }

  private INDArray block(INDArray matrix, long index) {
    return matrix.get(NDArrayIndex.interval(index * rows, (index + 1) * rows));
  }
}
