package org.swav4j.train.collective;

/** Which rows batch norm takes its moments from where several workers share a batch. */
public enum SyncNorm {
  /**
   * Those of all workers: the result is that of one machine with the whole batch. Workers wait for
   * each other twice for every batch norm, forward and backward.
   */
  ON,
  /**
   * The same, summed image by image, on one machine, too, which is slower. So the images of a batch
   * get the same features to the last bit however many workers share it (with oneDNN, in floats),
   * and codes and gradients are equal within the rounding of their sums.
   */
  EXACT,
  /**
   * A worker's own, which are fewer, so that the gradients are others: with 32 or more rows in a
   * batch norm the difference is small. Workers wait for each other once a step. The running
   * statistics are the mean over workers.
   */
  OFF
}
