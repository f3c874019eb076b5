package org.swav4j.data;

import java.util.Locale;
import java.util.Optional;

/**
 * A decoded image: 8 bits per value, row-major, RGB interleaved or one grey channel.
 *
 * <p>Value {@code (x, y, c)} is {@code pixels()[(y * width + x) * channels + c] & 0xff}. The array
 * is not copied in or out, so that a cached image costs nothing to read again: treat it as
 * read-only. Under that rule an image may be used from several threads.
 */
public final class Image {
  private final int width;
  private final int height;
  private final int channels;
  private final byte[] pixels;
  private final ImageRemark remark;

  /**
   * Wraps decoded pixels without copying them.
   *
   * @param width in pixels, at least 1
   * @param height in pixels, at least 1
   * @param channels 3 (red, green, blue) or 1 (grey)
   * @param pixels {@code width * height * channels} bytes, owned by the image from now on
   * @throws IllegalArgumentException if a size is not positive, the number of channels is neither 1
   *     nor 3, or the array has another length
   */
  public Image(int width, int height, int channels, byte[] pixels) {
    this(width, height, channels, pixels, null);
  }

  Image(int width, int height, int channels, byte[] pixels, ImageRemark remark) {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "image of " + width + "x" + height + " pixels, expected at least 1x1");
    }
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(
          "image with " + channels + " channels, expected 3 (RGB) or 1 (grey)");
    }
    long expected = (long) width * height * channels;
    if (pixels.length != expected) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d bytes for an image of %dx%dx%d, expected %d",
              pixels.length,
              width,
              height,
              channels,
              expected));
    }
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.pixels = pixels;
    this.remark = remark;
  }

  /** Width in pixels. */
  public int width() {
    return width;
  }

  /** Height in pixels. */
  public int height() {
    return height;
  }

  /** 3 for RGB, 1 for grey. */
  public int channels() {
    return channels;
  }

  /** The values themselves, not a copy: interleaved, row-major, to be read only. */
  public byte[] pixels() {
    return pixels;
  }

  /** What users should hear of this image although it was read, if anything. */
  public Optional<ImageRemark> remark() {
    return Optional.ofNullable(remark);
  }

  /** The shorter side, in pixels. */
  public int shorterSide() {
    return Math.min(width, height);
  }

  /** Such as {@code 640x480x3}. */
  @Override
  public String toString() {
    return width + "x" + height + "x" + channels;
  }
}
