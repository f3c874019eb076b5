package org.swav4j.sinkhorn;

/**
 * The arrays of a solver for one shape, B = chunks.rows() by K = chunks.columns().
 *
 * @param u [B] scalings of the rows
 * @param v [stride] scalings of the columns, 0 in the padding
 * @param sums [K] what the last pass found for each column, over all shards
 * @param tree what the chunks of a pass found for each column
 * @param kept [B, stride] exponentials that are kept from pass to pass, or empty if the matrix is
 *     too large
 * @param workers the space of each thread
 */
record FloatWork(
    RowChunks chunks,
    float[] u,
    float[] v,
    double[] sums,
    ColumnTree tree,
    float[][] kept,
    WorkerSpace[] workers) {

  /**
   * Largest matrix, in floats, whose exponentials are kept: 32 MB. To compute them again costs less
   * than to write a larger one and read it.
   */
  private static final int KEEP = 8 << 20;

  static FloatWork of(RowChunks chunks, FloatKernels kernels, int threads) {
    WorkerSpace[] workers = new WorkerSpace[chunks.count() > 1 ? threads : 1];
    for (int worker = 0; worker < workers.length; worker++) {
      workers[worker] = WorkerSpace.of(chunks, kernels);
    }
    return new FloatWork(
        chunks,
        new float[chunks.rows()],
        new float[chunks.stride()],
        new double[chunks.columns()],
        new ColumnTree(chunks),
        new float[chunks.size() <= KEEP ? chunks.rows() : 0][chunks.stride()],
        workers);
  }
}
