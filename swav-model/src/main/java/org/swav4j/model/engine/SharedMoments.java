package org.swav4j.model.engine;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.swav4j.model.plan.AllReduce;

/**
 * The two sums over workers that one synchronised batch norm takes, over an array allocated once.
 * An engine fills in its own numbers channel by channel, calls one of the two methods, and reads
 * those of all. Computed in double precision: a mean and a mean of squares of floats, whose
 * difference is exact to a float's last place even if the mean is a thousand deviations away.
 */
public final class SharedMoments {
  private final AllReduce workers;
  private final int channels;
  private final double[] values;

  /**
   * For one batch norm.
   *
   * @param channels C
   */
  public SharedMoments(AllReduce workers, int channels) {
    this.workers = workers;
    this.channels = channels;
    this.values = new double[2 * channels];
  }

  /** Sets this worker's two numbers of a channel: mean and variance, or dgamma and dbeta. */
  public void put(int channel, double first, double second) {
    values[channel] = first;
    values[channels + channel] = second;
  }

  /** Of a channel, what {@link #put} set first; after a sum, that of all workers. */
  public double first(int channel) {
    return values[channel];
  }

  /** Of a channel, what {@link #put} set second; after a sum, that of all workers. */
  public double second(int channel) {
    return values[channels + channel];
  }

  /**
   * Sets this worker's mean and variance of each channel from those of each of its images. That sum
   * is in double precision, too: what is summed doesn't depend on how many workers there are, and
   * the order in which it is hardly ever shows in a float.
   *
   * @param images N, this worker's
   * @param means N·C, image by image
   * @param variances biased, likewise; null for images of one pixel, which have none
   */
  public void putImages(int images, FloatBuffer means, FloatBuffer variances) {
    Arrays.fill(values, 0);
    for (int i = 0; i < images; i++) {
      for (int c = 0; c < channels; c++) {
        double mean = means.get(i * channels + c);
        values[c] += mean;
        values[channels + c] += mean * mean;
        if (variances != null) {
          values[channels + c] += variances.get(i * channels + c);
        }
      }
    }
    for (int c = 0; c < channels; c++) {
      double mean = values[c] / images;
      put(c, mean, Math.max(0, values[channels + c] / images - mean * mean));
    }
  }

  /**
   * From mean and biased variance of each worker's equally many rows to those of all rows: m = Σ
   * m_r / N, v = Σ (v_r + m_r²) / N − m².
   */
  public void combine() {
    for (int c = 0; c < channels; c++) {
      double mean = values[c];
      values[channels + c] += mean * mean;
    }
    workers.sum(values);
    for (int c = 0; c < channels; c++) {
      double mean = values[c] / workers.size();
      values[c] = mean;
      double variance = values[channels + c] / workers.size() - mean * mean;
      values[channels + c] = Math.max(0, variance);
    }
  }

  /** From the sums over each worker's rows to those over all rows. */
  public void sum() {
    workers.sum(values);
  }

  /** How many workers the sums go over. */
  public int workers() {
    return workers.size();
  }
}
