package org.swav4j.sinkhorn;

/**
 * When to stop: after {@code limit} updates, or earlier as soon as the L1 error of the column sums
 * is at most {@code tolerance} (NaN: don't look).
 */
record Iterations(int limit, double tolerance) {
  boolean watch() {
    return !Double.isNaN(tolerance);
  }
}
