package org.swav4j.train.auto;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.UnreadableImageException;

/**
 * What there is to know of images before anything is learned from them, from a sample of them.
 *
 * @param images how many there are
 * @param side median of the shorter sides in pixels, at most {@link #LARGEST}
 * @param grey whether all that were looked at are grey
 * @param contrast median standard deviation of an image's pixels, 0 to 255
 */
public record DataSurvey(int images, int side, boolean grey, double contrast) {
  /** Sides are not told apart above it. */
  public static final int LARGEST = 256;

  private static final int LOOKED_AT = 64;

  /** Difference of channels, of 255, up to which a pixel counts as grey. */
  private static final int COLOURLESS = 4;

  /**
   * Looks at up to 64 images, the same every time.
   *
   * @throws IllegalArgumentException if none of them can be read
   */
  public static DataSurvey of(ImageSource source) {
    SplittableRandom random = new SplittableRandom(1);
    int wanted = Math.min(LOOKED_AT, source.size());
    int[] sides = new int[wanted];
    double[] contrasts = new double[wanted];
    boolean grey = true;
    int seen = 0;
    for (int i = 0; i < wanted; i++) {
      int index = wanted == source.size() ? i : random.nextInt(source.size());
      Image image;
      try {
        image = source.read(index, LARGEST);
      } catch (UnreadableImageException e) {
        continue;
      }
      sides[seen] = Math.min(LARGEST, Math.min(image.width(), image.height()));
      contrasts[seen] = contrast(image.pixels());
      grey &= isGrey(image);
      seen++;
    }
    if (seen == 0) {
      throw new IllegalArgumentException(
          "none of " + wanted + " images looked at in " + source.name() + " can be read");
    }
    Arrays.sort(sides, 0, seen);
    Arrays.sort(contrasts, 0, seen);
    return new DataSurvey(source.size(), sides[seen / 2], grey, contrasts[seen / 2]);
  }

  private static double contrast(byte[] pixels) {
    double sum = 0;
    double squares = 0;
    for (byte pixel : pixels) {
      int value = pixel & 0xff;
      sum += value;
      squares += (double) value * value;
    }
    double mean = sum / pixels.length;
    return Math.sqrt(Math.max(0, squares / pixels.length - mean * mean));
  }

  private static boolean isGrey(Image image) {
    if (image.channels() == 1) {
      return true;
    }
    byte[] pixels = image.pixels();
    for (int i = 0; i + 2 < pixels.length; i += 3) {
      int red = pixels[i] & 0xff;
      int green = pixels[i + 1] & 0xff;
      int blue = pixels[i + 2] & 0xff;
      if (Math.max(red, Math.max(green, blue)) - Math.min(red, Math.min(green, blue))
          > COLOURLESS) {
        return false;
      }
    }
    return true;
  }
}
