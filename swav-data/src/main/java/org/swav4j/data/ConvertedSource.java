package org.swav4j.data;

import java.util.List;
import java.util.Optional;

/** Another source's images with the other number of channels. */
final class ConvertedSource implements ImageSource {
  private final ImageSource source;
  private final int channels;

  private ConvertedSource(ImageSource source, int channels) {
    this.source = source;
    this.channels = channels;
  }

  /** The source itself where it has this many channels already. */
  static ImageSource of(ImageSource source, int channels) {
    return source.channels() == channels ? source : new ConvertedSource(source, channels);
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    Image image = source.read(index, atLeast);
    byte[] in = image.pixels();
    int pixels = image.width() * image.height();
    byte[] out = new byte[pixels * channels];
    for (int p = 0; p < pixels; p++) {
      if (channels == 3) {
        out[3 * p] = out[3 * p + 1] = out[3 * p + 2] = in[p];
      } else {
        out[p] = luma(in[3 * p] & 0xff, in[3 * p + 1] & 0xff, in[3 * p + 2] & 0xff);
      }
    }
    return new Image(image.width(), image.height(), channels, out);
  }

  /** Rec. 601, in thousandths, rounded. */
  private static byte luma(int red, int green, int blue) {
    return (byte) ((299 * red + 587 * green + 114 * blue + 500) / 1000);
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public int size() {
    return source.size();
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public int label(int index) {
    return source.label(index);
  }

  @Override
  public List<String> classes() {
    return source.classes();
  }

  @Override
  public String describe(int index) {
    return source.describe(index);
  }

  @Override
  public Optional<String> relativePath(int index) {
    return source.relativePath(index);
  }

  @Override
  public String digest() {
    return source.digest();
  }
}
