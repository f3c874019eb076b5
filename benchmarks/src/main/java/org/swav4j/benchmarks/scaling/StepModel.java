package org.swav4j.benchmarks.scaling;

/**
 * Seconds of a step on N workers, each with a share of one batch. With c the time of the whole
 * batch on one worker, l the latency and w the bandwidth:
 *
 * <pre>
 *   T(N) = c / N  +  Σ small sums (l + (N − 1) · 8 n / w)  +  2 l + 2 (N − 1) / N · 4 P / w
 * </pre>
 *
 * <p>Small sums of n doubles go from everybody to everybody. The gradients' P floats are cut into N
 * segments, each added by one worker (reduce-scatter) and sent to all (gather). Nothing overlaps
 * with computing. Bytes of headers aren't counted.
 */
final class StepModel {
  private StepModel() {}

  /**
   * The parts of the formula, in seconds.
   *
   * @param compute on this worker's share
   * @param small batch norm's sums and Sinkhorn's
   * @param gradients the sum at the end
   */
  record Seconds(double compute, double small, double gradients) {
    double total() {
      return compute + small + gradients;
    }
  }

  static Seconds of(StepWork work, Network network, int workers) {
    double compute = work.compute() / workers;
    if (workers == 1) {
      return new Seconds(compute, 0, 0);
    }
    double small = 0;
    for (int n : work.small()) {
      small += network.latency() + network.seconds((workers - 1.0) * Double.BYTES * n);
    }
    double bytes = (double) Float.BYTES * work.gradients();
    double gradients =
        2 * network.latency() + network.seconds(2 * (workers - 1.0) / workers * bytes);
    return new Seconds(compute, small, gradients);
  }

  /** Share of N workers that is of use: one worker's time for the batch, by N times the step's. */
  static double efficiency(StepWork work, Network network, int workers) {
    return work.compute() / (workers * of(work, network, workers).total());
  }
}
