package org.swav4j.sinkhorn;

import java.util.Arrays;
import java.util.List;

/**
 * The iteration itself: columns to b, then rows to a, in turn, until {@link Iterations} says stop.
 * What a column or a row is scaled with and where the matrix lies is the business of {@link
 * Scalings}.
 *
 * <p>Nothing is allocated unless a tolerance is asked for. Not thread-safe.
 */
final class IterationLoop {
  /** One form of the iteration; begins with the column sums of the unscaled matrix in hand. */
  interface Scalings {
    /** Scales the columns to b by the column sums in hand. */
    void columns();

    /**
     * Scales the rows to a.
     *
     * @param more whether the column sums that result are wanted: the iteration goes on, or its
     *     error is asked for
     * @return false if this form cannot go on
     */
    boolean rows(boolean more);

    /** L1 distance of the column sums in hand from b. */
    double columnError();
  }

  private int made;
  private boolean converged;
  private double[] errors = {};

  /** Iterates; false if the form gave up. */
  boolean run(Iterations stop, Scalings scalings) {
    made = 0;
    converged = !stop.watch();
    while (true) {
      scalings.columns();
      boolean last = ++made == stop.limit();
      if (!scalings.rows(!last || stop.watch())) {
        return false;
      }
      if (stop.watch()) {
        double error = scalings.columnError();
        keep(error);
        converged = error <= stop.tolerance();
        last |= converged;
      }
      if (last) {
        return true;
      }
    }
  }

  private void keep(double error) {
    if (made > errors.length) {
      errors = Arrays.copyOf(errors, Math.max(16, 2 * errors.length));
    }
    errors[made - 1] = error;
  }

  /** How the last run ended. */
  Ending ending(Iterations stop) {
    int watched = stop.watch() ? made : 0;
    List<Double> kept = Arrays.stream(errors, 0, watched).boxed().toList();
    return new Ending(made, converged, kept);
  }

  /**
   * @param iterations column-and-row updates made
   * @param converged whether the tolerance was met; always, where none was asked for
   * @param errors L1 error of the column sums after each iteration; empty without a tolerance
   */
  record Ending(int iterations, boolean converged, List<Double> errors) {}
}
