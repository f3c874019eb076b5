package org.swav4j.data;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Locale;
import org.bytedeco.javacv.Frame;
import org.datavec.image.data.ImageWritable;

/**
 * DataVec's frames to images or planes of floats and back. A frame is grey or BGR, in bytes or in
 * floats from 0 to 255; images and planes have red first, planes run from 0 to 1.
 */
final class Frames {
  private static final float TO_UNIT = (float) (1.0 / 255);

  private Frames() {}

  /**
   * The frame of an image that is in a form to be worked on.
   *
   * @param who asks, for the message
   * @throws IllegalArgumentException if it is neither of bytes nor floats, or has neither one
   *     channel nor three
   */
  static Frame require(String who, ImageWritable image) {
    Frame frame = image.getFrame();
    if (frame.image == null
        || (frame.imageDepth != Frame.DEPTH_UBYTE && frame.imageDepth != Frame.DEPTH_FLOAT)
        || (frame.imageChannels != 1 && frame.imageChannels != 3)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s: frame of depth %d with %d channels, expected 8 bits unsigned or 32-bit floats and"
                  + " 1 channel (grey) or 3 (BGR): convert it before, an alpha channel with"
                  + " COLOR_BGRA2BGR",
              who,
              frame.imageDepth,
              frame.imageChannels));
    }
    return frame;
  }

  static boolean isFloat(Frame frame) {
    return frame.imageDepth == Frame.DEPTH_FLOAT;
  }

  /** The bytes of an 8-bit frame, row-major without padding, three channels as RGB. */
  static Image image(Frame frame) {
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

  /** The values as planes from 0 to 1, each {@code height * width} long. */
  static float[][] planes(Frame frame) {
    int width = frame.imageWidth;
    int height = frame.imageHeight;
    int channels = frame.imageChannels;
    float[][] planes = new float[channels][width * height];
    if (isFloat(frame)) {
      FloatBuffer in = (FloatBuffer) frame.image[0];
      for (int y = 0; y < height; y++) {
        for (int i = 0; i < width * channels; i++) {
          planes[plane(i % channels, channels)][y * width + i / channels] =
              in.get(y * frame.imageStride + i) * TO_UNIT;
        }
      }
    } else {
      byte[] pixels = image(frame).pixels();
      for (int i = 0; i < pixels.length; i++) {
        planes[i % channels][i / channels] = (pixels[i] & 0xff) * TO_UNIT;
      }
    }
    return planes;
  }

  /** Blue, green, red are planes 2, 1, 0. */
  private static int plane(int channel, int channels) {
    return channels - 1 - channel;
  }

  /** An image as an 8-bit frame. */
  static ImageWritable writable(Image image) {
    byte[] pixels = image.pixels().clone();
    if (image.channels() == 3) {
      swapRedAndBlue(pixels);
    }
    return bytes(pixels, image.width(), image.height(), image.channels());
  }

  /** A frame of floats rounded to bytes; any other as it is. */
  static ImageWritable inBytes(ImageWritable image) {
    Frame frame = image.getFrame();
    return isFloat(frame)
        ? writable(planes(frame), frame.imageWidth, frame.imageHeight, false)
        : image;
  }

  /** Planes from 0 to 1 as a frame of bytes, rounded to the nearest, or of floats up to 255. */
  static ImageWritable writable(float[][] planes, int width, int height, boolean floats) {
    int channels = planes.length;
    if (floats) {
      Frame frame = new Frame(width, height, Frame.DEPTH_FLOAT, channels);
      FloatBuffer out = (FloatBuffer) frame.image[0];
      for (int y = 0; y < height; y++) {
        for (int i = 0; i < width * channels; i++) {
          out.put(
              y * frame.imageStride + i,
              planes[plane(i % channels, channels)][y * width + i / channels] * 255);
        }
      }
      return new ImageWritable(frame);
    }
    byte[] pixels = new byte[width * height * channels];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) Math.round(planes[plane(i % channels, channels)][i / channels] * 255);
    }
    return bytes(pixels, width, height, channels);
  }

  private static ImageWritable bytes(byte[] pixels, int width, int height, int channels) {
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
}
