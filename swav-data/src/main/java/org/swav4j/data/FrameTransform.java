package org.swav4j.data;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.bytedeco.javacv.Frame;
import org.datavec.image.data.ImageWritable;
import org.datavec.image.transform.BaseImageTransform;

/**
 * Base of the DataVec transforms: 8-bit frames of one or three channels (BGR, as DataVec's loaders
 * give them) to planes of floats and back. The image passed in is never changed. As every DataVec
 * transform these keep their last result and parameters: one instance per thread.
 */
abstract class FrameTransform extends BaseImageTransform<Void> {
  private final Random fallback = new Random();

  /**
   * The image passed, transformed; draws from the Random passed, or from one of its own if null.
   */
  @Override
  protected final ImageWritable doTransform(ImageWritable image, Random random) {
    if (image == null) {
      return null;
    }
    Frame frame = image.getFrame();
    if (frame.image == null
        || frame.imageDepth != Frame.DEPTH_UBYTE
        || (frame.imageChannels != 1 && frame.imageChannels != 3)) {
      throw new IllegalArgumentException(
          String.format(
              "%s: frame of depth %d with %d channels, expected 8 bits unsigned and 1 (grey) or 3"
                  + " (BGR): convert it before, an alpha channel with COLOR_BGRA2BGR",
              getClass().getSimpleName(), frame.imageDepth, frame.imageChannels));
    }
    return transform(image, frame, random == null ? fallback : random);
  }

  abstract ImageWritable transform(ImageWritable image, Frame frame, RandomGenerator random);

  /** Positions are kept, unless the transform moves pixels. */
  @Override
  public float[] query(float... coordinates) {
    return coordinates;
  }

  /** Refuses what isn't a probability. */
  static double probability(double p) {
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException(
          "probability " + p + ", expected 0 (never) to 1 (every image)");
    }
    return p;
  }

  /** The frame's bytes, row-major without padding, three channels as RGB. */
  static Image toImage(Frame frame) {
    int width = frame.imageWidth;
    int channels = frame.imageChannels;
    ByteBuffer in = (ByteBuffer) frame.image[0];
    byte[] pixels = new byte[width * frame.imageHeight * channels];
    for (int y = 0; y < frame.imageHeight; y++) {
      int row = y * width * channels;
      in.get(y * frame.imageStride, pixels, row, width * channels);
    }
    if (channels == 3) {
      swapRedAndBlue(pixels);
    }
    return new Image(width, frame.imageHeight, channels, pixels);
  }

  /** Planes in [0, 1] as a frame, rounded to the nearest byte. */
  static ImageWritable toWritable(float[][] planes, int width, int height) {
    int channels = planes.length;
    byte[] pixels = new byte[width * height * channels];
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < width * height; i++) {
        pixels[i * channels + c] = (byte) Math.round(planes[c][i] * 255);
      }
    }
    if (channels == 3) {
      swapRedAndBlue(pixels);
    }
    Frame frame = new Frame(width, height, Frame.DEPTH_UBYTE, channels);
    ByteBuffer out = (ByteBuffer) frame.image[0];
    for (int y = 0; y < height; y++) {
      out.put(y * frame.imageStride, pixels, y * width * channels, width * channels);
    }
    return new ImageWritable(frame);
  }

  private static void swapRedAndBlue(byte[] pixels) {
    for (int i = 0; i < pixels.length; i += 3) {
      byte kept = pixels[i];
      pixels[i] = pixels[i + 2];
      pixels[i + 2] = kept;
    }
  }

  /** A transform of values that keeps size and channels, done to a share of the images. */
  abstract static class OfPlanes extends FrameTransform {
    private final double probability;

    OfPlanes(double probability) {
      this.probability = probability(probability);
    }

    @Override
    final ImageWritable transform(ImageWritable image, Frame frame, RandomGenerator random) {
      if (random.nextDouble() >= probability) {
        return image;
      }
      Image bytes = toImage(frame);
      int width = bytes.width();
      int height = bytes.height();
      float[][] planes =
          ImageOps.resizedCrop(bytes, 0, 0, height, width, height, width); // only converts
      apply(planes, width, height, random);
      return toWritable(planes, width, height);
    }

    /** Changes the planes (red, green, blue, or grey alone) in place. */
    abstract void apply(float[][] planes, int width, int height, RandomGenerator random);
  }
}
