package org.swav4j.sinkhorn;

/**
 * What one thread writes while it goes through rows.
 *
 * @param rows [block, stride] rows of the matrix, where exponentials are not kept, and of the plan
 * @param space [stride] overwritten by kernels
 * @param weights row sums, then scalings, of the rows of a block
 * @param low [stride] least exponents found
 * @param high [stride] largest exponents found
 */
record WorkerSpace(float[][] rows, float[] space, float[] weights, float[] low, float[] high) {
  /** Four numbers are used; the rest keeps two threads' out of one cache line. */
  private static final int WEIGHTS = 32;

  static WorkerSpace of(RowChunks chunks) {
    int stride = chunks.stride();
    return new WorkerSpace(
        new float[chunks.block()][stride],
        new float[stride],
        new float[WEIGHTS],
        new float[stride],
        new float[stride]);
  }
}
