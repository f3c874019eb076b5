package org.swav4j.data;

import java.awt.color.CMMException;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * An embedded ICC profile whose colours are not sRGB's, and their conversion to sRGB by the JDK
 * (LittleCMS): relative to the paper's white for profiles of printers, perceptual for others.
 *
 * <p>Profiles that come out as sRGB within 1 of 255 are left alone. What was found of a profile is
 * remembered: most images of a data set hold the same. The profiles are thread-safe.
 */
final class ColourProfile {
  /** Larger ones are left out: those of printers take about a megabyte. */
  static final int MAX_BYTES = 8 << 20;

  private static final int REMEMBERED = 32;
  private static final Map<ByteBuffer, Optional<ColourProfile>> KNOWN = new ConcurrentHashMap<>();
  private static final ColourProfile LIKE_SRGB = new ColourProfile(null);

  private final ICC_Profile profile;

  private ColourProfile(ICC_Profile profile) {
    this.profile = profile;
  }

  /**
   * @param icc the profile's bytes; null where there is none, empty where it can't be had
   * @param channels of the pixels: 1 (grey), 3 (RGB) or 4 (CMYK)
   * @param remarks hears of a profile that can't be applied
   * @return null where the pixels are to be taken as they are
   */
  static ColourProfile of(byte[] icc, int channels, Consumer<ImageRemark> remarks) {
    if (icc == null) {
      return null;
    }
    ByteBuffer key = ByteBuffer.wrap(icc);
    Optional<ColourProfile> found = KNOWN.get(key);
    if (found == null) {
      found = Optional.ofNullable(parse(icc));
      if (KNOWN.size() >= REMEMBERED) {
        KNOWN.clear();
      }
      KNOWN.put(key, found);
    }
    ColourProfile profile = found.orElse(null);
    if (profile == LIKE_SRGB) {
      return null;
    }
    if (profile == null || profile.channels() != channels) {
      remarks.accept(
          new ImageRemark(
              ImageRemark.Kind.PROFILE,
              profile == null
                  ? "a profile of " + icc.length + " bytes is broken"
                  : "a profile for " + profile.channels() + " channels, not " + channels));
      return null;
    }
    return profile;
  }

  private static ColourProfile parse(byte[] icc) {
    if (icc.length < 128 || icc.length > MAX_BYTES) {
      return null;
    }
    try {
      ICC_Profile profile = ICC_Profile.getInstance(icc);
      int type = profile.getColorSpaceType();
      if (type != ColorSpace.TYPE_RGB
          && type != ColorSpace.TYPE_GRAY
          && type != ColorSpace.TYPE_CMYK) {
        return null;
      }
      ColourProfile parsed = new ColourProfile(profile);
      return parsed.channels() != 4 && parsed.isLikeSrgb() ? LIKE_SRGB : parsed;
    } catch (CMMException | IllegalArgumentException e) {
      return null;
    }
  }

  private int channels() {
    return profile.getNumComponents();
  }

  private boolean isLikeSrgb() {
    int steps = channels() == 1 ? 256 : 16;
    int colours = channels() == 1 ? 256 : steps * steps * steps;
    byte[] in = new byte[colours * channels()];
    for (int i = 0; i < colours; i++) {
      for (int c = 0, rest = i; c < channels(); c++, rest /= steps) {
        in[i * channels() + c] = (byte) (rest % steps * 255 / (steps - 1));
      }
    }
    byte[] out = new byte[colours * 3];
    conversion().toRgb(in, out);
    for (int i = 0; i < out.length; i++) {
      int before = in[channels() == 1 ? i / 3 : i] & 0xff;
      if (Math.abs(before - (out[i] & 0xff)) > 1) {
        return false;
      }
    }
    return true;
  }

  /** A conversion for one thread: it is worth keeping for the rows of an image. */
  Conversion conversion() {
    return new Conversion(profile);
  }

  /** Pixels of a profile's colours to sRGB. Not thread-safe. */
  static final class Conversion {
    private final int channels;
    private final ColorConvertOp operation;

    private Conversion(ICC_Profile profile) {
      this.channels = profile.getNumComponents();
      ICC_Profile srgb = ICC_Profile.getInstance(ColorSpace.CS_sRGB);
      this.operation = new ColorConvertOp(new ICC_Profile[] {profile, srgb}, null);
    }

    /**
     * Converts pixels.
     *
     * @param pixels interleaved, as many channels as the profile is for; of CMYK 255 is full ink
     * @param rgb three bytes for each pixel
     */
    void toRgb(byte[] pixels, byte[] rgb) {
      operation.filter(raster(pixels, channels), raster(rgb, 3));
    }
  }

  private static WritableRaster raster(byte[] pixels, int channels) {
    int width = pixels.length / channels;
    int[] offsets = new int[channels];
    Arrays.setAll(offsets, c -> c);
    DataBufferByte buffer = new DataBufferByte(pixels, pixels.length);
    return Raster.createInterleavedRaster(
        buffer, width, 1, width * channels, channels, offsets, null);
  }
}
