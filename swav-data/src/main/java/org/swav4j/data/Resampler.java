package org.swav4j.data;

import java.util.Arrays;

/**
 * Cuts a window out of a byte image and resizes it: bytes in, planes of floats in [0, 1] out, in
 * one pass over the window.
 *
 * <p>The filter is a triangle whose half width is one source pixel, or one target pixel where the
 * window shrinks (antialiased, as Pillow's bilinear); nothing outside the window is read. Rows are
 * filtered horizontally when first needed and kept in a ring for the vertical filter. A window that
 * is turned gives its rows by {@link RotatedWindow}, and they go the same way:
 *
 * <pre>
 *   window rows (bytes) → ring of filtered rows (floats, r | g | b) → target row → planes
 * </pre>
 *
 * <p>Keeps its scratch; not thread-safe.
 */
final class Resampler {
  private final Axis across = new Axis();
  private final Axis down = new Axis();
  private float[][] ring = new float[0][0];
  private float[] target = new float[0];
  private final RotatedWindow rotated = new RotatedWindow();
  private float[] line = new float[0];

  /**
   * Fills {@code planes} with the window, resized.
   *
   * @param degrees by which the window is turned clockwise about its centre; 0 for an upright one
   * @param flip mirror left to right
   * @param planes one array per channel of the image, at least {@code outWidth * outHeight} long
   */
  void resample(
      Image image,
      int top,
      int left,
      int height,
      int width,
      double degrees,
      boolean flip,
      float[][] planes,
      int outHeight,
      int outWidth) {
    across.prepare(width, outWidth, 0, outWidth, 1.0 / 255, flip);
    down.prepare(height, outHeight, 0, outHeight, 1, false);
    boolean turned = degrees != 0;
    if (turned) {
      rotated.prepare(image.width(), image.height(), top, left, height, width, degrees);
      reserveLine(image.channels() * width);
    }
    run(image, top, left, width, turned, planes, outHeight, outWidth);
  }

  /**
   * The same from planes of floats, for images that were worked on before they are cropped. Slower,
   * and allocates.
   *
   * @param source one array per channel, rows of {@code sourceWidth}
   */
  void resample(
      float[][] source,
      int sourceWidth,
      int top,
      int left,
      int height,
      int width,
      double degrees,
      float[][] planes,
      int outHeight,
      int outWidth) {
    across.prepare(width, outWidth, 0, outWidth, 1, false);
    down.prepare(height, outHeight, 0, outHeight, 1, false);
    float[] rows = new float[height * outWidth];
    boolean turned = degrees != 0;
    if (turned) {
      int sourceHeight = source[0].length / sourceWidth;
      rotated.prepare(sourceWidth, sourceHeight, top, left, height, width, degrees);
      reserveLine(width);
    }
    for (int c = 0; c < source.length; c++) {
      for (int y = 0; y < height; y++) {
        if (turned) {
          rotated.row(source[c], y, line);
          across.filter(line, 0, 1, rows, y * outWidth, 1);
        } else {
          across.filter(source[c], (top + y) * sourceWidth + left, 1, rows, y * outWidth, 1);
        }
      }
      for (int x = 0; x < outWidth; x++) {
        down.filter(rows, x, outWidth, planes[c], x, outWidth);
      }
    }
  }

  /**
   * Fills {@code planes} with the central {@code size * size} pixels of the whole image resized to
   * {@code fullHeight * fullWidth}; what isn't needed for them isn't computed.
   */
  void resampleCentre(Image image, int fullHeight, int fullWidth, int size, float[][] planes) {
    across.prepare(image.width(), fullWidth, (fullWidth - size) / 2, size, 1.0 / 255, false);
    down.prepare(image.height(), fullHeight, (fullHeight - size) / 2, size, 1, false);
    run(image, 0, 0, image.width(), false, planes, size, size);
  }

  private void run(
      Image image,
      int top,
      int left,
      int width,
      boolean turned,
      float[][] planes,
      int outHeight,
      int outWidth) {
    int channels = image.channels();
    int rowLength = channels * outWidth;
    int taps = down.taps;
    reserve(taps, rowLength);
    byte[] pixels = image.pixels();
    int next = 0;
    for (int y = 0; y < outHeight; y++) {
      int first = down.start[y];
      for (next = Math.max(next, first); next < first + taps; next++) {
        int from = ((top + next) * image.width() + left) * channels;
        if (turned) {
          rotated.row(pixels, channels, next, line);
          for (int c = 0; c < channels; c++) {
            across.filter(line, c * width, 1, ring[next % taps], c * outWidth, 1);
          }
        } else if (channels == 3) {
          filterColour(pixels, from, ring[next % taps], outWidth);
        } else {
          filterGrey(pixels, from, ring[next % taps], outWidth);
        }
      }
      float[] row = combine(first, y * down.stride, taps, rowLength);
      for (int c = 0; c < channels; c++) {
        System.arraycopy(row, c * outWidth, planes[c], y * outWidth, outWidth);
      }
    }
  }

  private void reserve(int rows, int rowLength) {
    if (ring.length < rows) {
      float[][] larger = new float[rows][0];
      System.arraycopy(ring, 0, larger, 0, ring.length);
      ring = larger;
    }
    for (int i = 0; i < rows; i++) {
      if (ring[i].length < rowLength) {
        ring[i] = new float[rowLength];
      }
    }
    if (target.length < rowLength) {
      target = new float[rowLength];
    }
  }

  private void reserveLine(int length) {
    if (line.length < length) {
      line = new float[length];
    }
  }

  private void filterColour(byte[] pixels, int from, float[] row, int outWidth) {
    int taps = across.taps;
    int stride = across.stride;
    int[] start = across.start;
    float[] weights = across.weights;
    int green = outWidth;
    int blue = 2 * outWidth;
    if (taps == 2) { // whatever grows
      for (int x = 0; x < outWidth; x++) {
        int p = from + 3 * start[x];
        float w0 = weights[x * stride];
        float w1 = weights[x * stride + 1];
        row[x] = w0 * (pixels[p] & 0xff) + w1 * (pixels[p + 3] & 0xff);
        row[green + x] = w0 * (pixels[p + 1] & 0xff) + w1 * (pixels[p + 4] & 0xff);
        row[blue + x] = w0 * (pixels[p + 2] & 0xff) + w1 * (pixels[p + 5] & 0xff);
      }
      return;
    }
    for (int x = 0; x < outWidth; x++) {
      int p = from + 3 * start[x];
      float r = 0;
      float g = 0;
      float b = 0;
      int k = x * stride;
      int end = k + taps;
      for (; k + 1 < end; k += 2, p += 6) { // two at a time, in the same order
        float w0 = weights[k];
        float w1 = weights[k + 1];
        r = r + w0 * (pixels[p] & 0xff) + w1 * (pixels[p + 3] & 0xff);
        g = g + w0 * (pixels[p + 1] & 0xff) + w1 * (pixels[p + 4] & 0xff);
        b = b + w0 * (pixels[p + 2] & 0xff) + w1 * (pixels[p + 5] & 0xff);
      }
      if (k < end) {
        float w = weights[k];
        r += w * (pixels[p] & 0xff);
        g += w * (pixels[p + 1] & 0xff);
        b += w * (pixels[p + 2] & 0xff);
      }
      row[x] = r;
      row[green + x] = g;
      row[blue + x] = b;
    }
  }

  private void filterGrey(byte[] pixels, int from, float[] row, int outWidth) {
    int taps = across.taps;
    for (int x = 0; x < outWidth; x++) {
      int p = from + across.start[x];
      float sum = 0;
      for (int k = x * across.stride; k < x * across.stride + taps; k++, p++) {
        sum += across.weights[k] * (pixels[p] & 0xff);
      }
      row[x] = sum;
    }
  }

  /** The weighted sum of {@code taps} rows of the ring from {@code first} on. */
  private float[] combine(int first, int weight, int taps, int length) {
    float[] w = down.weights;
    if (taps == 1) {
      return ring[first % taps];
    }
    mix(target, ring[first % taps], ring[(first + 1) % taps], length, w[weight], w[weight + 1]);
    int k = 2;
    for (; k + 1 < taps; k += 2) {
      add(
          target,
          ring[(first + k) % taps],
          ring[(first + k + 1) % taps],
          length,
          w[weight + k],
          w[weight + k + 1]);
    }
    if (k < taps) {
      add(target, ring[(first + k) % taps], length, w[weight + k]);
    }
    return target;
  }

  private static void mix(float[] out, float[] a, float[] b, int n, float wa, float wb) {
    for (int i = 0; i < n; i++) {
      out[i] = wa * a[i] + wb * b[i];
    }
  }

  private static void add(float[] out, float[] a, float[] b, int n, float wa, float wb) {
    for (int i = 0; i < n; i++) {
      out[i] += wa * a[i] + wb * b[i];
    }
  }

  private static void add(float[] out, float[] a, int n, float w) {
    for (int i = 0; i < n; i++) {
      out[i] += w * a[i];
    }
  }

  /**
   * The filter of one axis: target pixel {@code x} is the sum over {@code k < taps} of source pixel
   * {@code start[x] + k} times {@code weights[x * stride + k]}. Starts never decrease (they never
   * increase when mirrored).
   */
  private static final class Axis {
    int length;
    int taps;
    int stride;
    int[] start = new int[0];
    float[] weights = new float[0];
    private int[] count = new int[0];

    /**
     * The filter from {@code in} pixels to {@code full}, of which only {@code out} from {@code
     * skipped} on are made.
     */
    void prepare(int in, int full, int skipped, int out, double factor, boolean mirrored) {
      double scale = (double) in / full;
      double support = Math.max(scale, 1);
      length = out;
      stride = Math.min(in, 2 * (int) Math.ceil(support) + 1);
      if (start.length < out) {
        start = new int[out];
        count = new int[out];
      }
      if (weights.length < (long) out * stride) {
        weights = new float[Math.multiplyExact(out, stride)];
      }
      taps = 1;
      for (int i = 0; i < out; i++) {
        int x = mirrored ? out - 1 - i : i;
        double centre = (skipped + i + 0.5) * scale;
        int from = Math.max(0, (int) (centre - support + 0.5));
        int to = Math.min(in, (int) (centre + support + 0.5));
        while (to - 1 > from && weight(to - 1, centre, support) == 0) {
          to--;
        }
        while (from + 1 < to && weight(from, centre, support) == 0) {
          from++;
        }
        double total = 0;
        for (int j = from; j < to; j++) {
          total += weight(j, centre, support);
        }
        for (int j = from; j < to; j++) {
          weights[x * stride + j - from] = (float) (weight(j, centre, support) / total * factor);
        }
        start[x] = from;
        count[x] = to - from;
        taps = Math.max(taps, to - from);
      }
      for (int x = 0; x < out; x++) {
        alignTaps(x, in);
      }
    }

    /** Filters one line: values {@code step} apart from {@code from} on, to the target likewise. */
    void filter(float[] in, int from, int step, float[] out, int to, int outStep) {
      for (int x = 0; x < length; x++) {
        float sum = 0;
        for (int k = 0; k < taps; k++) {
          sum += weights[x * stride + k] * in[from + (start[x] + k) * step];
        }
        out[to + x * outStep] = sum;
      }
    }

    /** Gives every pixel the same number of taps, with zeros, without passing the window's end. */
    private void alignTaps(int x, int in) {
      int w = x * stride;
      int shift = Math.max(0, start[x] + taps - in);
      if (shift > 0) {
        System.arraycopy(weights, w, weights, w + shift, count[x]);
        Arrays.fill(weights, w, w + shift, 0);
        start[x] -= shift;
      }
      Arrays.fill(weights, w + shift + count[x], w + taps, 0);
    }

    private static double weight(int j, double centre, double support) {
      return Math.max(0, 1 - Math.abs((j + 0.5 - centre) / support));
    }
  }
}
