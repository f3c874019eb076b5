package org.swav4j.sinkhorn;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;

/** Decides where exp(scores/epsilon) can be scaled without losing digits. */
final class Safety {
  private Safety() {}

  /**
   * Widest range of (scores/epsilon + spread of the log marginals), in nats, for the kernel form.
   *
   * <p>With range R every kernel entry is at least exp(-R) of the largest, and because the update
   * is monotone and homogeneous the scalings stay within exp(±R) of where they start at every
   * iteration. So no product leaves exp(±R)·BK, and with R = 60 (float) or 500 (double) neither
   * under- nor overflow can happen.
   */
  static double limit(DataType type) {
    return type == DataType.DOUBLE ? 500 : 60;
  }

  /** The spread in nats that positive masses add to the range. */
  static double spread(double[] mass) {
    // SwAV's are all the same, and this is a fraction of the time that the loop takes.
    if (Arrays.mismatch(mass, 0, mass.length - 1, mass, 1, mass.length) < 0) {
      return 0;
    }
    double low = Double.POSITIVE_INFINITY;
    double high = 0;
    for (double m : mass) {
      if (m > 0) {
        low = Math.min(low, m);
        high = Math.max(high, m);
      }
    }
    return Math.log(high / low);
  }

  static IllegalArgumentException kernelRefused(double range, double limit) {
    return new IllegalArgumentException(
        "kernel form asked for, but the scores span "
            + (float) range
            + " epsilon, safe up to "
            + (float) limit
            + ": take Form.AUTOMATIC, or a larger epsilon; scores of L2-normalised features span at"
            + " most 2/epsilon");
  }
}
