package org.swav4j.data;

import java.util.random.RandomGenerator;

/**
 * Everything that is random about one crop. Each transform draws its part ({@link
 * FrameTransform#draw}); what no transform has drawn stays as {@link #clear} leaves it: the whole
 * image, unchanged. Reused from crop to crop; not thread-safe.
 */
final class CropDraw {
  /** The four jitter ops; their codes in {@link #order}. */
  static final int BRIGHTNESS = 0;

  static final int CONTRAST = 1;
  static final int SATURATION = 2;
  static final int HUE = 3;

  private static final int TRIES = 10;

  int top;
  int left;
  int height;
  int width;

  /** By which the window is turned clockwise about its centre; 0: it is upright. */
  double degrees;

  boolean flip;
  boolean jitter;
  final int[] order = new int[4];
  float brightness;
  float contrast;
  float saturation;

  /** Part of a full turn, -0.5 to 0.5. */
  float hue;

  boolean grey;

  /** Standard deviation in pixels; 0: no blur. */
  double sigma;

  boolean solarise;

  /** Nothing is done to an image of this size. */
  void clear(int imageWidth, int imageHeight) {
    top = 0;
    left = 0;
    height = imageHeight;
    width = imageWidth;
    degrees = 0;
    flip = false;
    jitter = false;
    grey = false;
    sigma = 0;
    solarise = false;
  }

  /**
   * RandomResizedCrop's window: ten tries of a random area and ratio, then the largest central
   * window whose ratio is within bounds.
   */
  void drawWindow(
      int imageWidth,
      int imageHeight,
      double minScale,
      double maxScale,
      double minRatio,
      double maxRatio,
      RandomGenerator random) {
    double area = (double) imageWidth * imageHeight;
    for (int i = 0; i < TRIES; i++) {
      double target = area * uniform(random, minScale, maxScale);
      double ratio = Math.exp(uniform(random, Math.log(minRatio), Math.log(maxRatio)));
      long w = Math.round(Math.sqrt(target * ratio));
      long h = Math.round(Math.sqrt(target / ratio));
      if (w > 0 && w <= imageWidth && h > 0 && h <= imageHeight) {
        width = (int) w;
        height = (int) h;
        top = random.nextInt(imageHeight - height + 1);
        left = random.nextInt(imageWidth - width + 1);
        return;
      }
    }
    double ratio = (double) imageWidth / imageHeight;
    width = imageWidth;
    height = imageHeight;
    if (ratio < minRatio) {
      height = (int) Math.max(1, Math.round(imageWidth / minRatio));
    } else if (ratio > maxRatio) {
      width = (int) Math.max(1, Math.round(imageHeight * maxRatio));
    }
    top = (imageHeight - height) / 2;
    left = (imageWidth - width) / 2;
  }

  void drawJitter(double strength, RandomGenerator random) {
    jitter = true;
    for (int i = 0; i < 4; i++) { // Fisher-Yates, inside out
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    double low = Math.max(0, 1 - 0.8 * strength);
    double high = 1 + 0.8 * strength;
    brightness = (float) uniform(random, low, high);
    contrast = (float) uniform(random, low, high);
    saturation = (float) uniform(random, low, high);
    hue = (float) uniform(random, -0.2 * strength, 0.2 * strength);
  }

  static double uniform(RandomGenerator random, double low, double high) {
    return low + (high - low) * random.nextDouble();
  }
}
