package org.swav4j.sinkhorn;

/**
 * What one thread writes while it goes through rows.
 *
 * @param rows [block, stride] rows of the matrix, where exponentials are not kept, and of the plan
 * @param space [stride] overwritten by kernels
 * @param weights row sums, then scalings, of the rows of a block
 * @param low [{@link FloatKernels#rangeLength}] least exponents found
 * @param high [{@link FloatKernels#rangeLength}] largest exponents found
 */
record WorkerSpace(float[][] rows, float[] space, float[] weights, float[] low, float[] high) {
  /** Floats behind what is used of a short array, which keep two threads' out of a cache line. */
  private static final int APART = 32;

  static WorkerSpace of(RowChunks chunks, FloatKernels kernels) {
    int stride = chunks.stride();
    int range = kernels.rangeLength(stride);
    return new WorkerSpace(
        new float[chunks.block()][stride],
        new float[stride],
        new float[chunks.block() + APART],
        new float[range + APART],
        new float[range + APART]);
  }
}
