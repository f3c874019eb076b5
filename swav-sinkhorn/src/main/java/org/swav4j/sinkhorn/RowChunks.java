package org.swav4j.sinkhorn;

/**
 * How a matrix [rows, columns] is cut for threads and kernels. It depends on the shape alone, so
 * that sums are added in the same order by any number of threads.
 *
 * @param stride length of a row in work space: columns, padded to a multiple of {@link
 *     FloatKernels#PAD}
 * @param block rows that a kernel takes at once, so that they are used while in the nearest cache
 * @param chunkRows rows of a chunk, which one thread takes; a multiple of block, the last may have
 *     fewer
 * @param count number of chunks
 */
record RowChunks(int rows, int columns, int stride, int block, int chunkRows, int count) {
  /** Floats of a chunk below which another thread isn't worth its start. */
  private static final int SMALLEST = 1 << 15;

  private static final int MOST_ROWS = 512;

  static RowChunks of(int rows, int columns) {
    int stride = (columns + FloatKernels.PAD - 1) / FloatKernels.PAD * FloatKernels.PAD;
    int block = stride <= 1 << 14 ? 4 : 1;
    long size = (long) rows * stride;
    long wanted = Math.min(16, Math.max(1, size / SMALLEST));
    int chunkRows = (int) Math.min(MOST_ROWS, (rows + wanted - 1) / wanted);
    chunkRows = (chunkRows + block - 1) / block * block;
    while ((rows + chunkRows - 1) / chunkRows > WorkerPool.MOST_CHUNKS) {
      chunkRows *= 2;
    }
    return new RowChunks(
        rows, columns, stride, block, chunkRows, (rows + chunkRows - 1) / chunkRows);
  }

  boolean fit(HostMatrix matrix) {
    return matrix.rows() == rows && matrix.columns() == columns;
  }

  /** The first row of a chunk. */
  int start(int chunk) {
    return chunk * chunkRows;
  }

  /** The row behind the last of a chunk. */
  int end(int chunk) {
    return Math.min(rows, start(chunk) + chunkRows);
  }

  /** Floats of the padded matrix. */
  long size() {
    return (long) rows * stride;
  }
}
