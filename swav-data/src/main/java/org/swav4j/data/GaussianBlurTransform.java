package org.swav4j.data;

import java.util.random.RandomGenerator;

/**
 * Blurs a share of the images with a true Gaussian of random width, as a DataVec transform. One
 * instance per thread.
 */
public final class GaussianBlurTransform extends FrameTransform.OfPlanes {
  private final GaussianBlur blur = new GaussianBlur();
  private final double minSigma;
  private final double maxSigma;

  /**
   * @param probability share of images blurred; the paper uses 0.5
   * @param minSigma least standard deviation in pixels, above 0; the paper uses 0.1
   * @param maxSigma greatest standard deviation in pixels, up to 64; the paper uses 2
   * @throws IllegalArgumentException if a value is out of range
   */
  public GaussianBlurTransform(double probability, double minSigma, double maxSigma) {
    super(probability);
    Augmentation.requireSigma(minSigma, maxSigma);
    this.minSigma = minSigma;
    this.maxSigma = maxSigma;
  }

  @Override
  void drawChange(CropDraw draw, RandomGenerator random) {
    draw.sigma = CropDraw.uniform(random, minSigma, maxSigma);
  }

  @Override
  boolean changes(CropDraw draw) {
    return draw.sigma > 0;
  }

  @Override
  void apply(CropDraw draw, float[][] planes, int width, int height) {
    for (float[] plane : planes) {
      blur.apply(plane, width, height, draw.sigma);
    }
  }
}
