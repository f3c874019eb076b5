package org.swav4j.data;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import javax.imageio.spi.ImageReaderSpi;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * TIFF, decoded by TwelveMonkeys ImageIO: strips or tiles, together or in planes, of unsigned
 * integers up to 16 bits; the first page. What a sample means is read from the tags here, so that
 * profile, orientation, transparency and inks are treated as those of other formats.
 */
final class TiffImage extends EncodedImage {
  private static final int WIDTH = 256;
  private static final int HEIGHT = 257;
  private static final int BITS = 258;
  private static final int COMPRESSION = 259;
  private static final int PHOTOMETRIC = 262;
  private static final int STRIP_OFFSETS = 273;
  private static final int ORIENTATION = 274;
  private static final int SAMPLES = 277;
  private static final int STRIP_LENGTHS = 279;
  private static final int TILE_WIDTH = 322;
  private static final int TILE_HEIGHT = 323;
  private static final int TILE_OFFSETS = 324;
  private static final int TILE_LENGTHS = 325;
  private static final int INK_SET = 332;
  private static final int EXTRA_SAMPLES = 338;
  private static final int SAMPLE_FORMAT = 339;
  private static final int PROFILE = 34675;

  private static final int OLD_JPEG = 6;
  private static final int PALETTE = 3;
  private static final int INKS = 5;
  private static final int YCBCR = 6;
  private static final int[] TYPE_BYTES = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};

  private final byte[] bytes;
  private final Bytes in;
  private final Map<Integer, Long> entries;

  private TiffImage(byte[] bytes, Bytes in, Map<Integer, Long> entries) throws MalformedException {
    super(ImageFormat.TIFF, value(in, entries, WIDTH, 0, 0), value(in, entries, HEIGHT, 0, 0));
    this.bytes = bytes;
    this.in = in;
    this.entries = entries;
  }

  static TiffImage parse(byte[] bytes) throws MalformedException {
    Bytes in = new Bytes(bytes, bytes[0] == 'M');
    if (in.u16(2) != 42) {
      throw new MalformedException("BigTIFF is not supported: convert it to TIFF or PNG");
    }
    long directory = in.u32(4);
    int count = in.u16(directory);
    if (directory < 8 || count == 0 || directory + 2 + 12L * count > bytes.length) {
      throw new MalformedException(
          "truncated TIFF: " + bytes.length + " bytes, the directory is at " + directory);
    }
    Map<Integer, Long> entries = new HashMap<>();
    for (int i = 0; i < count; i++) {
      long entry = directory + 2 + 12L * i;
      entries.putIfAbsent(in.u16(entry), entry);
    }
    TiffImage image = new TiffImage(bytes, in, entries);
    image.checkKind();
    image.checkData();
    return image;
  }

  /** The i-th value of a tag, or another where the tag or the value is missing. */
  private static long value(Bytes in, Map<Integer, Long> entries, int tag, int i, long otherwise) {
    Long entry = entries.get(tag);
    if (entry == null || i >= in.u32(entry + 4)) {
      return otherwise;
    }
    int type = in.u16(entry + 2);
    int size = type < TYPE_BYTES.length ? TYPE_BYTES[type] : 0;
    long all = in.u32(entry + 4) * size;
    long at = (all <= 4 ? entry + 8 : in.u32(entry + 8)) + (long) i * size;
    return switch (size) {
      case 1 -> in.u8(at);
      case 2 -> in.u16(at);
      case 4 -> in.u32(at);
      default -> otherwise;
    };
  }

  private long value(int tag, int i, long otherwise) {
    return value(in, entries, tag, i, otherwise);
  }

  private int count(int tag) {
    Long entry = entries.get(tag);
    return entry == null ? 0 : (int) Math.min(Integer.MAX_VALUE, in.u32(entry + 4));
  }

  private int samples() {
    return (int) value(SAMPLES, 0, 1);
  }

  private int bits() {
    return (int) value(BITS, 0, 1);
  }

  private int photometric() {
    return (int) value(PHOTOMETRIC, 0, samples() >= 3 ? 2 : 1);
  }

  /** 1 for grey and palettes, 3 for RGB and YCbCr, 4 for CMYK; 0 for what is not read. */
  private int colours() {
    return switch (photometric()) {
      case 0, 1, PALETTE -> 1;
      case 2, YCBCR -> 3;
      case INKS -> value(INK_SET, 0, 1) == 1 ? 4 : 0;
      default -> 0;
    };
  }

  private void checkKind() throws MalformedException {
    int bits = bits();
    int samples = samples();
    for (int i = 1; i < Math.min(samples, 8); i++) {
      if (value(BITS, i, bits) != bits) {
        throw unsupported("samples of " + bits + " and " + value(BITS, i, bits) + " bits");
      }
    }
    if (value(SAMPLE_FORMAT, 0, 1) != 1 && value(SAMPLE_FORMAT, 0, 1) != 4) {
      throw unsupported("samples that are signed or floating-point numbers");
    }
    if (bits < 1 || bits > 16) {
      throw unsupported("samples of " + bits + " bits");
    }
    if (colours() == 0 || samples < colours() || samples > 8) {
      throw unsupported(
          "photometric interpretation " + photometric() + " of " + samples + " samples");
    }
    if (value(COMPRESSION, 0, 1) == OLD_JPEG) {
      throw unsupported("compression 6, the withdrawn form of JPEG");
    }
  }

  private static MalformedException unsupported(String what) {
    return new MalformedException(
        "unsupported TIFF: " + what + ": convert it to PNG or to TIFF of 8 or 16 bits");
  }

  /** All strips or tiles must be there, and of a size that fits the image's. */
  private void checkData() throws MalformedException {
    boolean tiled = entries.containsKey(TILE_OFFSETS);
    int offsets = tiled ? TILE_OFFSETS : STRIP_OFFSETS;
    int lengths = tiled ? TILE_LENGTHS : STRIP_LENGTHS;
    int count = count(offsets);
    if (count == 0 || count(lengths) < count || count > bytes.length) {
      throw new MalformedException("broken TIFF: " + count + " strips or tiles");
    }
    for (int i = 0; i < count; i++) {
      long end = value(offsets, i, 0) + value(lengths, i, 0);
      if (end > bytes.length) {
        throw new MalformedException(
            "truncated TIFF: " + bytes.length + " bytes, its data end at " + end);
      }
    }
    long tile = value(TILE_WIDTH, 0, 1) * value(TILE_HEIGHT, 0, 1);
    if (tiled && (tile < 1 || tile > ImageDecoder.MAX_PIXELS)) {
      throw new MalformedException(
          String.format(
              Locale.ROOT,
              "broken TIFF: tiles of %dx%d",
              value(TILE_WIDTH, 0, 1),
              value(TILE_HEIGHT, 0, 1)));
    }
  }

  @Override
  int orientation() {
    int orientation = (int) value(ORIENTATION, 0, 1);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }

  /** None for inks: they become RGB while decoded. */
  @Override
  byte[] profile() {
    return colours() == 4 || photometric() == PALETTE ? null : embeddedProfile();
  }

  private byte[] embeddedProfile() {
    Long entry = entries.get(PROFILE);
    if (entry == null) {
      return null;
    }
    long length = in.u32(entry + 4);
    long from = in.u32(entry + 8);
    return length > ColourProfile.MAX_BYTES || from + length > bytes.length
        ? new byte[0]
        : Arrays.copyOfRange(bytes, (int) from, (int) (from + length));
  }

  @Override
  Mat decode(int channels, int atLeast) throws MalformedException {
    checkLength();
    ImageReaderSpi provider =
        PluginReader.provider(
            format(),
            "com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi",
            "com.twelvemonkeys.imageio:imageio-tiff");
    BufferedImage image = PluginReader.read(format(), firstPage(), provider, TiffImage::isHarmless);
    if (image.getWidth() != width() || image.getHeight() != height()) {
      throw new MalformedException("broken TIFF: the decoder found another size");
    }
    if (image.getColorModel() instanceof IndexColorModel) {
      return BufferedImages.mat(image);
    }
    Raster raster = image.getRaster();
    if (bits() > 8) {
      remarkRange(largest(raster), (1 << bits()) - 1);
    }
    long extra = samples() > colours() ? value(EXTRA_SAMPLES, 0, 0) : 0;
    boolean alpha = (extra == 1 || extra == 2) && raster.getNumBands() > colours();
    ColourProfile profile =
        colours() == 4 ? ColourProfile.of(embeddedProfile(), 4, this::remark) : null;
    return new BufferedImages.Samples(colours(), alpha, extra == 1).mat(raster, bits(), profile);
  }

  /** Uncompressed data of whole pixels; YCbCr may have fewer samples of colour. */
  private void checkLength() throws MalformedException {
    long needed = ((long) width() * bits() * samples() + 7) / 8 * height();
    long held = 0;
    int lengths = entries.containsKey(TILE_OFFSETS) ? TILE_LENGTHS : STRIP_LENGTHS;
    for (int i = 0; i < count(lengths); i++) {
      held += value(lengths, i, 0);
    }
    if (value(COMPRESSION, 0, 1) == 1 && photometric() != YCBCR && held < needed) {
      throw new MalformedException(
          "truncated TIFF: data of " + held + " bytes, " + needed + " expected");
    }
  }

  /** Said of every last strip that has fewer rows; lengths are checked here. */
  private static boolean isHarmless(String warning) {
    return warning.contains("ByteCount < required");
  }

  private int largest(Raster raster) {
    int[] row = new int[raster.getWidth() * raster.getNumBands()];
    int largest = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, raster.getWidth(), 1, row);
      for (int i = 0; i < row.length; i++) {
        if (i % raster.getNumBands() < colours()) {
          largest = Math.max(largest, row[i]);
        }
      }
    }
    return largest;
  }

  /** The file without its further pages, and without the profile, which is not the decoder's. */
  private byte[] firstPage() {
    byte[] copy = bytes.clone();
    int directory = (int) in.u32(4);
    int next = directory + 2 + 12 * in.u16(directory);
    for (int i = next; i < Math.min(next + 4, copy.length); i++) {
      copy[i] = 0;
    }
    Long entry = entries.get(PROFILE);
    if (entry != null) {
      copy[entry.intValue()] = (byte) 0xff; // a private tag
      copy[entry.intValue() + 1] = (byte) 0xff;
    }
    return copy;
  }
}
