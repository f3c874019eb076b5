package org.swav4j.data;

import java.util.random.RandomGenerator;

/**
 * Changes brightness, contrast, saturation and hue of a share of the images by random amounts and
 * in random order, as a DataVec transform. Grey images take no part in saturation and hue. One
 * instance per thread.
 */
public final class ColourJitterTransform extends FrameTransform.OfPlanes {
  private final double strength;

  /**
   * @param probability share of images changed; the paper uses 0.8
   * @param strength s: brightness, contrast and saturation factors are uniform in 1 ± 0.8 s, the
   *     hue's turn in ± 0.2 s; 0 to 2.5, the paper uses 1
   * @throws IllegalArgumentException if a value is out of range
   */
  public ColourJitterTransform(double probability, double strength) {
    super(probability);
    Augmentation.requireStrength(strength);
    this.strength = strength;
  }

  @Override
  void drawChange(CropDraw draw, RandomGenerator random) {
    draw.drawJitter(strength, random);
  }

  @Override
  boolean changes(CropDraw draw) {
    return draw.jitter;
  }

  @Override
  void apply(CropDraw draw, float[][] planes, int width, int height) {
    int area = width * height;
    for (int op : draw.order) {
      switch (op) {
        case CropDraw.BRIGHTNESS -> {
          for (float[] plane : planes) {
            ImageOps.brightness(plane, 0, area, draw.brightness);
          }
        }
        case CropDraw.CONTRAST -> contrast(draw.contrast, planes, area);
        case CropDraw.SATURATION -> {
          if (planes.length == 3) {
            ImageOps.saturation(planes[0], planes[1], planes[2], 0, area, draw.saturation);
          }
        }
        default -> {
          if (planes.length == 3) {
            ImageOps.hue(planes[0], planes[1], planes[2], 0, area, draw.hue);
          }
        }
      }
    }
  }

  private static void contrast(float factor, float[][] planes, int area) {
    float mean =
        planes.length == 3
            ? ImageOps.meanGrey(planes[0], planes[1], planes[2], area)
            : ImageOps.meanGrey(planes[0], area);
    for (float[] plane : planes) {
      ImageOps.contrast(plane, 0, area, factor, mean);
    }
  }
}
