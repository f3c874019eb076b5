package org.swav4j.data;

import java.util.random.RandomGenerator;

/**
 * Turns a share of the images grey, keeping three channels, as a DataVec transform: {@code 0.299 r
 * + 0.587 g + 0.114 b}. Grey images stay as they are. One instance per thread.
 */
public final class GreyTransform extends FrameTransform.OfPlanes {
  /**
   * @param probability share of images turned grey; the paper uses 0.2
   * @throws IllegalArgumentException if it isn't in [0, 1]
   */
  public GreyTransform(double probability) {
    super(probability);
  }

  @Override
  void drawChange(CropDraw draw, RandomGenerator random) {
    draw.grey = true;
  }

  @Override
  boolean changes(CropDraw draw) {
    return draw.grey;
  }

  @Override
  void apply(CropDraw draw, float[][] planes, int width, int height) {
    if (planes.length == 3) {
      ImageOps.grey(planes[0], planes[1], planes[2], 0, width * height);
    }
  }
}
