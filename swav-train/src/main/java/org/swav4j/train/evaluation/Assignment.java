package org.swav4j.train.evaluation;

import java.util.Arrays;

/**
 * The one-to-one assignment of rows to columns with the largest sum (Kuhn 1955, the Hungarian
 * method), by shortest augmenting paths: rows are added one at a time, and potentials keep all
 * reduced costs at least 0. Takes O(R² C) for R rows and C columns.
 */
final class Assignment {
  private final int[][] gain;
  private final int columns;
  private final long[] rowPotential;
  private final long[] columnPotential;

  /** Row in each column; the last place, which is no column, holds the row that is being added. */
  private final int[] rowIn;

  private Assignment(int[][] gain, int columns) {
    this.gain = gain;
    this.columns = columns;
    this.rowPotential = new long[gain.length];
    this.columnPotential = new long[columns + 1];
    this.rowIn = new int[columns + 1];
    Arrays.fill(rowIn, -1);
  }

  /**
   * The largest sum.
   *
   * @param gain {@code [R][C]}, of any signs, not more rows than columns; every row gets a column
   * @throws IllegalArgumentException if there are more rows than columns
   */
  static long largestSum(int[][] gain) {
    if (gain.length == 0) {
      return 0;
    }
    int columns = gain[0].length;
    if (gain.length > columns) {
      throw new IllegalArgumentException(
          gain.length + " rows for " + columns + " columns: transpose the matrix");
    }
    Assignment assignment = new Assignment(gain, columns);
    for (int row = 0; row < gain.length; row++) {
      assignment.add(row);
    }
    long sum = 0;
    for (int column = 0; column < columns; column++) {
      sum += assignment.rowIn[column] < 0 ? 0 : gain[assignment.rowIn[column]][column];
    }
    return sum;
  }

  /** Dijkstra's search for the nearest free column, and the swap along the path to it. */
  private void add(int row) {
    long[] distance = new long[columns];
    int[] cameFrom = new int[columns];
    boolean[] done = new boolean[columns + 1];
    Arrays.fill(distance, Long.MAX_VALUE);
    int at = columns;
    rowIn[at] = row;
    do {
      done[at] = true;
      int from = rowIn[at];
      int next = -1;
      for (int column = 0; column < columns; column++) {
        if (!done[column]) {
          long reduced = -gain[from][column] - rowPotential[from] - columnPotential[column];
          if (reduced < distance[column]) {
            distance[column] = reduced;
            cameFrom[column] = at;
          }
          next = next < 0 || distance[column] < distance[next] ? column : next;
        }
      }
      long step = distance[next];
      for (int column = 0; column <= columns; column++) {
        if (done[column]) {
          rowPotential[rowIn[column]] += step;
          columnPotential[column] -= step;
        } else {
          distance[column] -= step;
        }
      }
      at = next;
    } while (rowIn[at] >= 0);
    while (at != columns) {
      int previous = cameFrom[at];
      rowIn[at] = rowIn[previous];
      at = previous;
    }
  }
}
