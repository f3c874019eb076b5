package org.swav4j.data;

import java.util.Locale;

/**
 * Which rows of every batch one of several workers makes: of N workers, the one of rank r makes
 * rows r·B/N up to (r+1)·B/N, and reads no other image. All of them together make the batches that
 * a single loader makes, byte for byte.
 *
 * @param rank r, from 0 to N-1
 * @param size N, at least 1
 */
public record Share(int rank, int size) {
  /** All rows. */
  public static final Share WHOLE = new Share(0, 1);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if there is no such rank
   */
  public Share {
    if (size < 1 || rank < 0 || rank >= size) {
      throw new IllegalArgumentException(
          "worker " + rank + " of " + size + ", expected ranks from 0 to " + (size - 1));
    }
  }

  /**
   * B/N, the rows of a worker.
   *
   * @param batch B, images of a batch
   * @throws IllegalArgumentException if B is not a multiple of N
   */
  public int rows(int batch) {
    if (batch % size != 0) {
      int below = batch / size * size;
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "`batch` is %d and there are %d workers, expected a multiple of them, for each makes"
                  + " as many rows of every batch: take %s%d",
              batch,
              size,
              below == 0 ? "" : below + " or ",
              below + size));
    }
    return batch / size;
  }

  /**
   * The images of this worker's rows, batch after batch, from the order of all.
   *
   * @param order of an epoch's images
   * @param batch B, images of a batch; the last incomplete one is left out
   */
  int[] of(int[] order, int batch) {
    if (size == 1) {
      return order;
    }
    int rows = rows(batch);
    int batches = order.length / batch;
    int[] own = new int[batches * rows];
    for (int b = 0; b < batches; b++) {
      System.arraycopy(order, b * batch + rank * rows, own, b * rows, rows);
    }
    return own;
  }
}
