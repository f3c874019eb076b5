package org.swav4j.data;

/**
 * The rows of a window that is turned about its centre: one value for each of the window's own
 * pixels, bilinear between the four pixels of the image around it. Where a corner of the turned
 * window reaches beyond the image, the image is mirrored at its edge, the pixels at the edge
 * included, so nothing is empty.
 *
 * <p>A turn by 90 degrees of a square window gives the window's pixels themselves, transposed.
 *
 * <p>Keeps its scratch; not thread-safe.
 */
final class RotatedWindow {
  private int imageWidth;
  private int imageHeight;
  private int height;
  private int width;
  private double centreX;
  private double centreY;
  private double cos;
  private double sin;

  /** Four pixels of the image for each of the row, by their index. */
  private int[] near = new int[0];

  /** Their weights. */
  private float[] share = new float[0];

  /**
   * @param degrees the window turns clockwise by, as seen in the image
   */
  void prepare(
      int imageWidth, int imageHeight, int top, int left, int height, int width, double degrees) {
    this.imageWidth = imageWidth;
    this.imageHeight = imageHeight;
    this.height = height;
    this.width = width;
    centreX = left + width / 2.0;
    centreY = top + height / 2.0;
    cos = Math.cos(Math.toRadians(degrees));
    sin = Math.sin(Math.toRadians(degrees));
    if (near.length < 4 * width) {
      near = new int[4 * width];
      share = new float[4 * width];
    }
  }

  /**
   * Row {@code y} of the window out of bytes.
   *
   * @param pixels of the image, channels next to each other
   * @param line receives one row of {@code width} values a channel, one after the other
   */
  void row(byte[] pixels, int channels, int y, float[] line) {
    locate(y);
    for (int c = 0; c < channels; c++) {
      for (int x = 0; x < width; x++) {
        int i = 4 * x;
        line[c * width + x] =
            share[i] * (pixels[near[i] * channels + c] & 0xff)
                + share[i + 1] * (pixels[near[i + 1] * channels + c] & 0xff)
                + share[i + 2] * (pixels[near[i + 2] * channels + c] & 0xff)
                + share[i + 3] * (pixels[near[i + 3] * channels + c] & 0xff);
      }
    }
  }

  /** Row {@code y} of the window out of one plane of the image. */
  void row(float[] plane, int y, float[] line) {
    locate(y);
    for (int x = 0; x < width; x++) {
      int i = 4 * x;
      line[x] =
          share[i] * plane[near[i]]
              + share[i + 1] * plane[near[i + 1]]
              + share[i + 2] * plane[near[i + 2]]
              + share[i + 3] * plane[near[i + 3]];
    }
  }

  /** Finds the pixels around each of a row, and their weights. */
  private void locate(int y) {
    double v = y + 0.5 - height / 2.0;
    for (int x = 0; x < width; x++) {
      double u = x + 0.5 - width / 2.0;
      // a pixel's centre lies half a pixel beyond its index
      double atX = centreX + cos * u - sin * v - 0.5;
      double atY = centreY + sin * u + cos * v - 0.5;
      int x0 = (int) Math.floor(atX);
      int y0 = (int) Math.floor(atY);
      float right = (float) (atX - x0);
      float below = (float) (atY - y0);
      int x1 = mirrored(x0 + 1, imageWidth);
      int y1 = mirrored(y0 + 1, imageHeight) * imageWidth;
      x0 = mirrored(x0, imageWidth);
      y0 = mirrored(y0, imageHeight) * imageWidth;
      int i = 4 * x;
      near[i] = y0 + x0;
      near[i + 1] = y0 + x1;
      near[i + 2] = y1 + x0;
      near[i + 3] = y1 + x1;
      share[i] = (1 - below) * (1 - right);
      share[i + 1] = (1 - below) * right;
      share[i + 2] = below * (1 - right);
      share[i + 3] = below * right;
    }
  }

  private static int mirrored(int i, int n) {
    if (i >= 0 && i < n) {
      return i;
    }
    int j = Math.floorMod(i, 2 * n);
    return j < n ? j : 2 * n - 1 - j;
  }
}
