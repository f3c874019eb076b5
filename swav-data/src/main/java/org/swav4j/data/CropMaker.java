package org.swav4j.data;

import java.nio.FloatBuffer;

/** Makes the crops of one group. Holds scratch: one per thread. */
interface CropMaker {
  /**
   * Makes one crop.
   *
   * @param random what decides
   * @param out receives {@code [C, size, size]}, normalised, row-major, from index {@code at} on
   */
  void make(Image image, CounterRandom random, FloatBuffer out, int at);
}
