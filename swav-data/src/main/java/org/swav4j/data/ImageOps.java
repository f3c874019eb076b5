package org.swav4j.data;

import java.util.Arrays;
import java.util.Locale;

/**
 * The pixel operations that crops are made of, in place on planes of floats in [0, 1].
 *
 * <p>A plane is one channel, row-major; an image with colour has three planes of equal length, in
 * separate arrays. Colour operations take the elements {@code from} (inclusive) to {@code to}
 * (exclusive) of each plane, so that a caller can apply several to a piece that stays in the
 * processor's cache. Results are clamped to [0, 1] as in torchvision; nothing is rounded to bytes.
 * The loops are free of branches and calls so that the JIT compiler turns them into vector code.
 *
 * <p>Stateless: any thread may call them.
 */
public final class ImageOps {
  /** Weights of red, green and blue in grey (ITU-R BT.601). */
  static final float GREY_RED = 0.299f;

  static final float GREY_GREEN = 0.587f;
  static final float GREY_BLUE = 0.114f;

  private static final int LANES = 64;

  private ImageOps() {}

  /** Multiplies by {@code factor}. */
  public static void brightness(float[] plane, int from, int to, float factor) {
    for (int i = from; i < to; i++) {
      plane[i] = Math.min(Math.max(plane[i] * factor, 0f), 1f);
    }
  }

  /**
   * Blends with one grey level: {@code factor * value + (1 - factor) * mean}.
   *
   * @param mean the whole image's {@link #meanGrey}, before this operation
   */
  public static void contrast(float[] plane, int from, int to, float factor, float mean) {
    float rest = (1 - factor) * mean;
    for (int i = from; i < to; i++) {
      plane[i] = Math.min(Math.max(plane[i] * factor + rest, 0f), 1f);
    }
  }

  /** Blends every pixel with its own grey: {@code factor * value + (1 - factor) * grey}. */
  public static void saturation(
      float[] red, float[] green, float[] blue, int from, int to, float factor) {
    float wr = (1 - factor) * GREY_RED;
    float wg = (1 - factor) * GREY_GREEN;
    float wb = (1 - factor) * GREY_BLUE;
    for (int i = from; i < to; i++) {
      float r = red[i];
      float g = green[i];
      float b = blue[i];
      float rest = wr * r + wg * g + wb * b;
      red[i] = Math.min(Math.max(r * factor + rest, 0f), 1f);
      green[i] = Math.min(Math.max(g * factor + rest, 0f), 1f);
      blue[i] = Math.min(Math.max(b * factor + rest, 0f), 1f);
    }
  }

  /**
   * Turns the hue, with value and saturation (HSV) kept.
   *
   * <p>Exact, without the usual six cases. With m the least of r, g, b, d the greatest minus m and
   * r' = (r - m) / d and so on, the hue's distance from red on the colour circle, in sixths of a
   * turn, is 1 + g' + b' - r', and it lies on green's side where g ≥ b. Conversely a channel whose
   * own colour is at distance D from the hue has the value m + d · clamp(2 - D, 0, 1).
   *
   * @param turn part of a full turn, -0.5 to 0.5
   */
  public static void hue(float[] red, float[] green, float[] blue, int from, int to, float turn) {
    hue(red, green, blue, from, to, turn, new float[to], new float[to]);
  }

  /**
   * The same without allocating.
   *
   * @param least scratch of at least {@code to} elements, overwritten between from and to
   * @param span another
   */
  static void hue(
      float[] red,
      float[] green,
      float[] blue,
      int from,
      int to,
      float turn,
      float[] least,
      float[] span) {
    // C2 vectorises small loops whose arrays all have the same index, hence the five loops and
    // the scratch as long as the planes: 1.5 ns a pixel where one loop takes 15.
    for (int i = from; i < to; i++) {
      float m = Math.min(Math.min(red[i], green[i]), blue[i]);
      float d = Math.max(Math.max(red[i], green[i]), blue[i]) - m;
      least[i] = m;
      span[i] = d;
    }
    float sixths = turn * 6;
    for (int i = from; i < to; i++) {
      float r = red[i];
      float g = green[i];
      float b = blue[i];
      float fromRed = 1 + (g + b - r - least[i]) / (span[i] + 1e-30f);
      float side = Math.min(Math.max((g - b) * 1e30f + 1, -1f), 1f);
      blue[i] = side * fromRed + sixths; // the new hue for now, -6 to 6
    }
    channelOfHue(red, blue, 0, least, span, from, to);
    channelOfHue(green, blue, -2, least, span, from, to);
    channelOfHue(blue, blue, 2, least, span, from, to);
  }

  private static void channelOfHue(
      float[] channel, float[] hue, float offset, float[] least, float[] span, int from, int to) {
    for (int i = from; i < to; i++) {
      channel[i] = least[i] + span[i] * share(hue[i] + offset);
    }
  }

  /** clamp(2 - D, 0, 1), where D is the distance of h, -9 to 9, from the nearest multiple of 6. */
  private static float share(float h) {
    float distance = Math.abs(3 - Math.abs(Math.abs(h) - 3));
    return Math.min(Math.max(2 - distance, 0f), 1f);
  }

  /** Replaces the three channels by {@code 0.299 r + 0.587 g + 0.114 b}. */
  public static void grey(float[] red, float[] green, float[] blue, int from, int to) {
    for (int i = from; i < to; i++) {
      float y = GREY_RED * red[i] + GREY_GREEN * green[i] + GREY_BLUE * blue[i];
      red[i] = y;
      green[i] = y;
      blue[i] = y;
    }
  }

  /** Inverts the values from one half up. */
  public static void solarise(float[] plane, int from, int to) {
    for (int i = from; i < to; i++) {
      plane[i] = Math.min(plane[i], 1 - plane[i]);
    }
  }

  /** {@code (value - mean) / deviation}. */
  public static void normalise(float[] plane, int from, int to, float mean, float deviation) {
    float scale = 1 / deviation;
    float shift = -mean / deviation;
    for (int i = from; i < to; i++) {
      plane[i] = plane[i] * scale + shift;
    }
  }

  /** Mirrors an image left to right: reverses each row of a plane. */
  public static void flip(float[] plane, int width, int height) {
    for (int y = 0; y < height; y++) {
      for (int i = y * width, j = i + width - 1; i < j; i++, j--) {
        float kept = plane[i];
        plane[i] = plane[j];
        plane[j] = kept;
      }
    }
  }

  /**
   * Gaussian blur of one plane, edges repeated outwards, kernel ending at {@code ceil(4 sigma)}.
   *
   * @param sigma standard deviation in pixels, above 0
   */
  public static void blur(float[] plane, int width, int height, double sigma) {
    new GaussianBlur().apply(plane, width, height, sigma);
  }

  /**
   * A window of an image, resized with an antialiased bilinear filter (a triangle that widens with
   * the factor by which the window shrinks); nothing outside the window is read.
   *
   * @return one plane per channel, {@code outHeight * outWidth} values in [0, 1] each
   * @throws IllegalArgumentException if the window isn't inside the image or the result is empty
   */
  public static float[][] resizedCrop(
      Image image, int top, int left, int height, int width, int outHeight, int outWidth) {
    if (top < 0
        || left < 0
        || height < 1
        || width < 1
        || top > image.height() - height
        || left > image.width() - width) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "window of %dx%d pixels at (%d, %d) isn't inside the image of %s",
              width,
              height,
              left,
              top,
              image));
    }
    if (outHeight < 1 || outWidth < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "resizing to %dx%d pixels, expected at least 1 each way",
              outWidth,
              outHeight));
    }
    float[][] planes = new float[image.channels()][outHeight * outWidth];
    new Resampler()
        .resample(image, top, left, height, width, 0, false, planes, outHeight, outWidth);
    return planes;
  }

  /** Mean of the grey level over the first {@code length} pixels. */
  public static float meanGrey(float[] red, float[] green, float[] blue, int length) {
    GreySum sum = new GreySum();
    sum.add(red, green, blue, 0, length);
    return sum.mean();
  }

  /** Mean of the first {@code length} values of a one-channel image. */
  public static float meanGrey(float[] plane, int length) {
    GreySum sum = new GreySum();
    sum.add(plane, 0, length);
    return sum.mean();
  }

  /**
   * A running sum of grey levels, kept in as many parts as fill the vector registers, because the
   * order of one float sum is fixed and can't be vectorised.
   */
  static final class GreySum {
    private final float[] part = new float[LANES];
    private double sum;
    private long count;

    void clear() {
      sum = 0;
      count = 0;
    }

    void add(float[] red, float[] green, float[] blue, int from, int to) {
      Arrays.fill(part, 0);
      int i = from;
      for (; i + LANES <= to; i += LANES) {
        for (int j = 0; j < LANES; j++) {
          part[j] += GREY_RED * red[i + j] + GREY_GREEN * green[i + j] + GREY_BLUE * blue[i + j];
        }
      }
      for (int j = 0; i < to; i++, j++) {
        part[j] += GREY_RED * red[i] + GREY_GREEN * green[i] + GREY_BLUE * blue[i];
      }
      collect(to - from);
    }

    void add(float[] plane, int from, int to) {
      Arrays.fill(part, 0);
      int i = from;
      for (; i + LANES <= to; i += LANES) {
        for (int j = 0; j < LANES; j++) {
          part[j] += plane[i + j];
        }
      }
      for (int j = 0; i < to; i++, j++) {
        part[j] += plane[i];
      }
      collect(to - from);
    }

    private void collect(int pixels) {
      for (float p : part) {
        sum += p;
      }
      count += pixels;
    }

    float mean() {
      return count == 0 ? 0 : (float) (sum / count);
    }
  }
}
