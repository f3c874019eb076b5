package org.swav4j.data;

import java.util.Random;
import java.util.random.RandomGenerator;
import org.bytedeco.javacv.Frame;
import org.datavec.image.data.ImageWritable;
import org.datavec.image.transform.BaseImageTransform;

/**
 * Base of the DataVec transforms: frames of one or three channels (BGR, as DataVec's loaders give
 * them), 8 bits or floats from 0 to 255; the result has the depth of what was passed, unless said
 * otherwise. Of 8 bits each transform rounds its result, of floats none does. The image passed in
 * is never changed. As every DataVec transform these keep their last result and parameters: one
 * instance per thread.
 *
 * <p>What is random is drawn first ({@link #draw}), then done. The fused {@link CropRenderer} draws
 * by the same methods, so that it makes the same crop of the same numbers.
 */
abstract class FrameTransform extends BaseImageTransform<Void> {
  private final Random fallback = new Random();
  private final CropDraw draw = new CropDraw();

  /**
   * The image passed, transformed; draws from the Random passed, or from one of its own if null.
   */
  @Override
  protected final ImageWritable doTransform(ImageWritable image, Random random) {
    if (image == null) {
      return null;
    }
    Frame frame = Frames.require(getClass().getSimpleName(), image);
    draw.clear(frame.imageWidth, frame.imageHeight);
    draw(draw, frame.imageWidth, frame.imageHeight, random == null ? fallback : random);
    return transform(image, frame, draw);
  }

  /**
   * Draws what is random about this transform; nothing else of the draw is touched.
   *
   * @param width of the image in pixels
   * @param height of the image in pixels
   */
  abstract void draw(CropDraw draw, int width, int height, RandomGenerator random);

  abstract ImageWritable transform(ImageWritable image, Frame frame, CropDraw draw);

  /** What was drawn for the last image. */
  final CropDraw lastDraw() {
    return draw;
  }

  /** Positions are kept, unless the transform moves pixels. */
  @Override
  public float[] query(float... coordinates) {
    return coordinates;
  }

  /** A transform of values that keeps size and channels, done to a share of the images. */
  abstract static class OfPlanes extends FrameTransform {
    private final double probability;

    OfPlanes(double probability) {
      if (!(probability >= 0 && probability <= 1)) {
        throw new IllegalArgumentException(
            "probability " + probability + ", expected 0 (never) to 1 (every image)");
      }
      this.probability = probability;
    }

    @Override
    final void draw(CropDraw draw, int width, int height, RandomGenerator random) {
      if (random.nextDouble() < probability) {
        drawChange(draw, random);
      }
    }

    @Override
    final ImageWritable transform(ImageWritable image, Frame frame, CropDraw draw) {
      if (!changes(draw)) {
        return image;
      }
      int width = frame.imageWidth;
      int height = frame.imageHeight;
      float[][] planes = Frames.planes(frame);
      apply(draw, planes, width, height);
      return Frames.writable(planes, width, height, Frames.isFloat(frame));
    }

    /** Draws the change to an image that is to be changed. */
    abstract void drawChange(CropDraw draw, RandomGenerator random);

    /** Whether the change was drawn. */
    abstract boolean changes(CropDraw draw);

    /** Changes the planes (red, green, blue, or grey alone) in place. */
    abstract void apply(CropDraw draw, float[][] planes, int width, int height);
  }
}
