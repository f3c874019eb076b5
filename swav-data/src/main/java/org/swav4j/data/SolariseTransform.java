package org.swav4j.data;

import java.util.random.RandomGenerator;

/**
 * Solarises a share of the images, as a DataVec transform: bytes from 128 up are inverted. One
 * instance per thread.
 */
public final class SolariseTransform extends FrameTransform.OfPlanes {
  /**
   * @param probability share of images solarised
   * @throws IllegalArgumentException if it isn't in [0, 1]
   */
  public SolariseTransform(double probability) {
    super(probability);
  }

  @Override
  void drawChange(CropDraw draw, RandomGenerator random) {
    draw.solarise = true;
  }

  @Override
  boolean changes(CropDraw draw) {
    return draw.solarise;
  }

  @Override
  void apply(CropDraw draw, float[][] planes, int width, int height) {
    for (float[] plane : planes) {
      ImageOps.solarise(plane, 0, width * height);
    }
  }
}
