package org.swav4j.benchmarks.scaling;

/**
 * What lies between two workers, the same between any two, as behind one switch.
 *
 * @param latency from sending a message to its arrival, besides the time its bytes take, in seconds
 * @param bandwidth of each worker, out and in, each way its own, in bytes a second
 */
record Network(double latency, double bandwidth) {
  Network {
    if (!(latency >= 0 && bandwidth > 0)) {
      throw new IllegalArgumentException(
          "a latency of "
              + latency
              + " s and "
              + bandwidth
              + " bytes a second, expected at least 0 and more than 0");
    }
  }

  /** Of so many gigabits a second, each of 125 million bytes. */
  static Network gigabits(double gigabits, double latency) {
    return new Network(latency, gigabits * 125e6);
  }

  /** Seconds that bytes take to leave, or to come in. */
  double seconds(double bytes) {
    return bytes / bandwidth;
  }
}
