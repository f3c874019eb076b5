package org.swav4j.benchmarks.scaling;

/**
 * Seconds of a step on N workers, each with a share of one batch. With c the time of the whole
 * batch on one worker, l the latency and w the bandwidth:
 *
 * <pre>
 *   T(N) = c / N  +  Σ small sums (l + (N − 1) · 8 n / w)  +  rest
 * </pre>
 *
 * <p>Small sums of n doubles go from everybody to everybody. Gradients are summed in buckets of p
 * floats, one after the other, each as soon as the backward pass has got so far: a bucket is cut
 * into N segments, each added by one worker (reduce-scatter) and sent to all (gather), which takes
 * 2 l + 2 (N − 1) / N · 4 p / w. The rest is what is left of it when everything is computed, and at
 * least the 2 l of the loss. A small sum that is made while gradients are on the line waits behind
 * half a phase of a bucket's, (N − 1) / N · 4 p / w, on average. Adding takes no time, and bytes of
 * headers aren't counted.
 */
final class StepModel {
  private StepModel() {}

  /**
   * The parts of the formula, in seconds.
   *
   * @param compute on this worker's share
   * @param small batch norm's sums and Sinkhorn's
   * @param rest sums of gradients, and of the loss, that are left when everything is computed
   */
  record Seconds(double compute, double small, double rest) {
    double total() {
      return compute + small + rest;
    }
  }

  static Seconds of(StepWork work, Network network, int workers) {
    double compute = work.compute() / workers;
    if (workers == 1) {
      return new Seconds(compute, 0, 0);
    }
    double now = 0;
    double done = 0;
    double small = 0;
    double lane = 0;
    int bucket = 0;
    for (StepWork.Sum sum : work.small()) {
      while (bucket < work.buckets().size() && work.buckets().get(bucket).after() <= sum.after()) {
        StepWork.Sum ready = work.buckets().get(bucket++);
        now += compute * (ready.after() - done);
        done = ready.after();
        lane = Math.max(now, lane) + ofBucket(ready, network, workers);
      }
      now += compute * (sum.after() - done);
      done = sum.after();
      double seconds =
          network.latency() + network.seconds((workers - 1.0) * Double.BYTES * sum.numbers());
      if (lane > now) {
        seconds += phase(work.buckets().get(bucket - 1), network, workers) / 2;
      }
      now += seconds;
      small += seconds;
    }
    for (; bucket < work.buckets().size(); bucket++) {
      StepWork.Sum ready = work.buckets().get(bucket);
      now += compute * (ready.after() - done);
      done = ready.after();
      lane = Math.max(now, lane) + ofBucket(ready, network, workers);
    }
    now += compute * (1 - done);
    return new Seconds(compute, small, Math.max(2 * network.latency(), lane - now));
  }

  private static double ofBucket(StepWork.Sum bucket, Network network, int workers) {
    return 2 * (network.latency() + phase(bucket, network, workers));
  }

  /** One segment to everybody else, or from everybody else. */
  private static double phase(StepWork.Sum bucket, Network network, int workers) {
    return network.seconds((workers - 1.0) / workers * Float.BYTES * bucket.numbers());
  }

  /** Share of N workers that is of use: one worker's time for the batch, by N times the step's. */
  static double efficiency(StepWork work, Network network, int workers) {
    return work.compute() / (workers * of(work, network, workers).total());
  }
}
