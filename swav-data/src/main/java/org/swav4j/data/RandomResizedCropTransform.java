package org.swav4j.data;

import java.util.random.RandomGenerator;
import org.bytedeco.javacv.Frame;
import org.datavec.image.data.ImageWritable;

/**
 * Cuts a random window of random area and shape and resizes it, antialiased, to a square, as a
 * DataVec transform. Ten tries of a window that fits, then the largest central one. The window may
 * be turned about its centre by a random angle, which has no empty corners: what lies beyond the
 * image is the image, mirrored at its edge. One instance per thread.
 */
public final class RandomResizedCropTransform extends FrameTransform {
  private final CropSpec window;
  private final double minRatio;
  private final double maxRatio;
  private final double maxDegrees;
  private final boolean floats;

  /**
   * Width / height of the window between 3/4 and 4/3, as in the paper.
   *
   * @param size side of the result in pixels
   * @param minScale smallest share of the image's area, above 0
   * @param maxScale largest share, up to 1
   * @throws IllegalArgumentException if a value is out of range
   */
  public RandomResizedCropTransform(int size, double minScale, double maxScale) {
    this(size, minScale, maxScale, 3.0 / 4, 4.0 / 3);
  }

  /**
   * @param size side of the result in pixels
   * @param minScale smallest share of the image's area, above 0
   * @param maxScale largest share, up to 1
   * @param minRatio least width / height of the window
   * @param maxRatio greatest width / height of the window
   * @throws IllegalArgumentException if a value is out of range
   */
  public RandomResizedCropTransform(
      int size, double minScale, double maxScale, double minRatio, double maxRatio) {
    this(size, minScale, maxScale, minRatio, maxRatio, 0);
  }

  /**
   * @param size side of the result in pixels
   * @param minScale smallest share of the image's area, above 0
   * @param maxScale largest share, up to 1
   * @param minRatio least width / height of the window, before it is turned
   * @param maxRatio greatest width / height of the window
   * @param maxDegrees the window is turned by up to this angle either way, uniformly; 180: every
   *     orientation; 0: none, and no number is drawn for it
   * @throws IllegalArgumentException if a value is out of range
   */
  public RandomResizedCropTransform(
      int size,
      double minScale,
      double maxScale,
      double minRatio,
      double maxRatio,
      double maxDegrees) {
    this(new CropSpec(1, size, minScale, maxScale), minRatio, maxRatio, maxDegrees, false);
  }

  private RandomResizedCropTransform(
      CropSpec window, double minRatio, double maxRatio, double maxDegrees, boolean floats) {
    this.window = window;
    Augmentation.requireRatio(minRatio, maxRatio);
    this.minRatio = minRatio;
    this.maxRatio = maxRatio;
    Augmentation.requireRotation(maxDegrees);
    this.maxDegrees = maxDegrees;
    this.floats = floats;
  }

  /**
   * The same, its result a frame of floats (0 to 255) of an 8-bit image too, so that neither it nor
   * this package's transforms after it round. A {@link CropPipeline} rounds before other
   * transforms; in DataVec's own pipeline they get the floats, which {@code EqualizeHistTransform}
   * can't take.
   *
   * @return a new instance
   */
  public RandomResizedCropTransform inFloats() {
    return new RandomResizedCropTransform(window, minRatio, maxRatio, maxDegrees, true);
  }

  /** Side of the result in pixels. */
  public int size() {
    return window.size();
  }

  /** Shorter side in pixels from which a larger image makes no better crop. */
  int sufficientSide() {
    return window.sufficientSide();
  }

  @Override
  void draw(CropDraw draw, int width, int height, RandomGenerator random) {
    draw.drawWindow(
        width, height, window.minScale(), window.maxScale(), minRatio, maxRatio, random);
    if (maxDegrees > 0) {
      draw.degrees = CropDraw.uniform(random, -maxDegrees, maxDegrees);
    }
  }

  @Override
  ImageWritable transform(ImageWritable image, Frame frame, CropDraw draw) {
    int size = window.size();
    float[][] planes = new float[frame.imageChannels][size * size];
    Resampler resampler = new Resampler();
    if (Frames.isFloat(frame)) {
      resampler.resample(
          Frames.planes(frame),
          frame.imageWidth,
          draw.top,
          draw.left,
          draw.height,
          draw.width,
          draw.degrees,
          planes,
          size,
          size);
    } else {
      resampler.resample(
          Frames.image(frame),
          draw.top,
          draw.left,
          draw.height,
          draw.width,
          draw.degrees,
          false,
          planes,
          size,
          size);
    }
    return Frames.writable(planes, size, size, floats || Frames.isFloat(frame));
  }

  /**
   * Where points of the last image are in its crop; a point that was cut away comes out outside of
   * it.
   *
   * @param coordinates x and y in turn, in pixels of the image
   */
  @Override
  public float[] query(float... coordinates) {
    CropDraw draw = lastDraw();
    int size = window.size();
    double cos = Math.cos(Math.toRadians(draw.degrees));
    double sin = Math.sin(Math.toRadians(draw.degrees));
    double halfWidth = draw.width / 2.0;
    double halfHeight = draw.height / 2.0;
    float[] moved = new float[coordinates.length];
    for (int i = 0; i + 1 < coordinates.length; i += 2) {
      double x = coordinates[i] - draw.left - halfWidth;
      double y = coordinates[i + 1] - draw.top - halfHeight;
      moved[i] = (float) ((cos * x + sin * y + halfWidth) * size / draw.width);
      moved[i + 1] = (float) ((cos * y - sin * x + halfHeight) * size / draw.height);
    }
    return moved;
  }
}
