package org.swav4j.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What brings pixel values in [0, 1] to about zero mean and unit deviation, channel by channel:
 * {@code (value - mean) / deviation}. Training and evaluation must use the same.
 *
 * @param mean per channel
 * @param deviation per channel, above 0
 */
public record Normalisation(List<Double> mean, List<Double> deviation) {
  /** Least deviation that {@link #of} reports: one level of 255. */
  private static final double LEAST = 1.0 / 255;

  /**
   * Checks and copies the values.
   *
   * @throws IllegalArgumentException if the lists aren't of one length, 1 or 3, or a value is out
   *     of range
   */
  public Normalisation {
    mean = List.copyOf(mean);
    deviation = List.copyOf(deviation);
    if (mean.size() != deviation.size() || (mean.size() != 1 && mean.size() != 3)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "normalisation with %d means and %d deviations, expected 3 of each (RGB) or 1 (grey)",
              mean.size(),
              deviation.size()));
    }
    for (double m : mean) {
      if (!(Math.abs(m) <= 1)) {
        throw new IllegalArgumentException(
            "mean " + m + ", expected a share of full brightness, 0 to 1: divide bytes by 255");
      }
    }
    for (double d : deviation) {
      if (!(d > 0 && d <= 1)) {
        throw new IllegalArgumentException(
            "deviation "
                + d
                + ", expected a share of full brightness above 0, up to 1: divide bytes by 255");
      }
    }
  }

  /**
   * ImageNet's statistics with the red deviation 0.228, as SwAV's published weights were trained
   * (0.229 elsewhere).
   */
  public static Normalisation imageNet() {
    return new Normalisation(List.of(0.485, 0.456, 0.406), List.of(0.228, 0.224, 0.225));
  }

  /**
   * Measures a source: every image counts alike, whatever its size. Unreadable images are passed
   * over.
   *
   * @param images how many to read, spread evenly over the source; all if it has fewer
   * @throws IllegalArgumentException if the number is below 1 or none of those images can be read
   */
  public static Normalisation of(ImageSource source, int images) {
    if (images < 1) {
      throw new IllegalArgumentException(
          images + " images to measure the normalisation, expected at least 1");
    }
    int channels = source.channels();
    int wanted = Math.min(images, source.size());
    double[] sum = new double[channels];
    double[] squares = new double[channels];
    int read = 0;
    String failure = "";
    for (int i = 0; i < wanted; i++) {
      int index = (int) ((long) i * source.size() / wanted);
      try {
        addMoments(source.read(index, 1), sum, squares);
        read++;
      } catch (UnreadableImageException e) {
        failure = ": " + e.getMessage();
      }
    }
    if (read == 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "none of the %d images tried in %s can be read%s",
              wanted,
              source.name(),
              failure));
    }
    List<Double> mean = new ArrayList<>();
    List<Double> deviation = new ArrayList<>();
    for (int c = 0; c < channels; c++) {
      double m = sum[c] / read;
      mean.add(m);
      deviation.add(Math.max(LEAST, Math.sqrt(Math.max(0, squares[c] / read - m * m))));
    }
    return new Normalisation(mean, deviation);
  }

  private static void addMoments(Image image, double[] sum, double[] squares) {
    byte[] pixels = image.pixels();
    int channels = image.channels();
    double area = (double) image.width() * image.height();
    for (int c = 0; c < channels; c++) {
      long s = 0;
      long q = 0;
      for (int i = c; i < pixels.length; i += channels) {
        int v = pixels[i] & 0xff;
        s += v;
        q += (long) v * v;
      }
      sum[c] += s / area / 255;
      squares[c] += q / area / (255.0 * 255);
    }
  }

  /** Channels it is for: 3 or 1. */
  public int channels() {
    return mean.size();
  }

  /** Refuses to be used on images of another number of channels. */
  void requireChannels(int channels, String what) {
    if (channels != channels()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "normalisation for %d channels but %s has %d: use one measured on it"
                  + " (Normalisation.of)",
              channels(),
              what,
              channels));
    }
  }
}
