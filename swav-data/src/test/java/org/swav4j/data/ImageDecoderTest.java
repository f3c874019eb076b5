package org.swav4j.data;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDecoderTest {
  private static final int FULL = Integer.MAX_VALUE;
  private static final int ORANGE = 0xffff8000;
  private static final int BLUE = 0xff0010f0;

  @ParameterizedTest
  @ValueSource(strings = {"png", "bmp"})
  void losslessFormatsKeepEveryByteInRgbOrder(String format) throws Exception {
    BufferedImage original = TestImages.halves(6, 4, BufferedImage.TYPE_INT_RGB, ORANGE, BLUE);
    Image image = decode(TestImages.encode(original, format), 3, FULL);
    assertThat(image).hasToString("6x4x3");
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 6; x++) {
        assertThat(rgb(image, x, y)).isEqualTo(original.getRGB(x, y) & 0xffffff);
      }
    }
  }

  @Test
  void jpegColoursComeInRgbOrder() throws Exception {
    Image image = decode(TestImages.jpeg(64, 48, ORANGE, BLUE), 3, FULL);
    assertThat(image).hasToString("64x48x3");
    assertNear(image, 8, 8, ORANGE, 6);
    assertNear(image, 56, 40, BLUE, 6);
  }

  @Test
  void transparencyIsLaidOverWhite() throws Exception {
    BufferedImage argb =
        TestImages.halves(4, 2, BufferedImage.TYPE_INT_ARGB, 0x00123456, 0x80ff0000);
    Image image = decode(TestImages.encode(argb, "png"), 3, FULL);
    assertThat(rgb(image, 0, 0)).isEqualTo(0xffffff);
    assertThat(rgb(image, 3, 1)).isEqualTo(0xff7f7f);
  }

  @Test
  void transparentPaletteIsLaidOverWhite() throws Exception {
    byte[] none = {0, (byte) 255};
    byte[] full = {0, 0};
    var palette = new java.awt.image.IndexColorModel(1, 2, none, full, full, new byte[] {0, -1});
    BufferedImage indexed = new BufferedImage(8, 1, BufferedImage.TYPE_BYTE_BINARY, palette);
    indexed.getRaster().setSample(5, 0, 0, 1);
    Image image = decode(TestImages.encode(indexed, "png"), 3, FULL);
    assertThat(rgb(image, 0, 0)).isEqualTo(0xffffff);
    assertThat(rgb(image, 5, 0)).isEqualTo(0xff0000);
  }

  @Test
  void greyIsKeptOrRepeatedAndColourBecomesLuma() throws Exception {
    byte[] grey =
        TestImages.encode(
            TestImages.halves(4, 2, BufferedImage.TYPE_BYTE_GRAY, 0xff000000, 0xffffffff), "png");
    assertThat(decode(grey, 1, FULL).pixels()).containsExactly(0, 0, -1, -1, 0, 0, -1, -1);
    Image repeated = decode(grey, 3, FULL);
    assertThat(rgb(repeated, 0, 0)).isZero();
    assertThat(rgb(repeated, 3, 1)).isEqualTo(0xffffff);
    int luma = decode(TestImages.png(4, 2, ORANGE, BLUE), 1, FULL).pixels()[0] & 0xff;
    assertThat(luma).isCloseTo((int) Math.round(0.299 * 255 + 0.587 * 128), within(1));
    int jpegLuma = decode(TestImages.jpeg(32, 32, ORANGE, BLUE), 1, FULL).pixels()[0] & 0xff;
    assertThat(jpegLuma).isCloseTo(luma, within(4));
  }

  @Test
  void sixteenBitsBecomeEight() throws Exception {
    BufferedImage grey = new BufferedImage(3, 1, BufferedImage.TYPE_USHORT_GRAY);
    grey.getRaster().setPixels(0, 0, 3, 1, new int[] {0, 0x80 * 257, 0xffff});
    Image image = decode(TestImages.encode(grey, "png"), 1, FULL);
    assertThat(image.pixels()).containsExactly(0, 0x80, 0xff);
  }

  @Test
  void binaryPgmAndPpmAreRead() throws Exception {
    assertThat(decode(concat("P5 # comment\n2 1\n255\n", 7, 200), 1, FULL).pixels())
        .containsExactly(7, 200);
    assertThat(decode(concat("P6\n1 1\n255\n", 1, 2, 3), 3, FULL).pixels())
        .containsExactly(1, 2, 3);
  }

  @Test
  void onePixelIsAnImage() throws Exception {
    assertThat(rgb(decode(TestImages.png(1, 1, BLUE, BLUE), 3, 224), 0, 0))
        .isEqualTo(BLUE & 0xffffff);
    assertThat(decode(TestImages.jpeg(1, 1, BLUE, BLUE), 3, 1)).hasToString("1x1x3");
  }

  /** Orientation 6: the first row of the file is the right side of the scene. */
  @ParameterizedTest
  @CsvSource({"3, 64, 32, 60, 16", "6, 32, 64, 16, 4", "8, 32, 64, 16, 60"})
  void exifOrientationIsApplied(int orientation, int width, int height, int x, int y)
      throws Exception {
    byte[] jpeg = TestImages.oriented(TestImages.jpeg(64, 32, ORANGE, BLUE), orientation);
    Image image = decode(jpeg, 3, FULL);
    assertThat(image).hasToString(width + "x" + height + "x3");
    assertNear(image, x, y, ORANGE, 6);
    assertNear(image, width - 1 - x, height - 1 - y, BLUE, 6);
    assertThat(decode(jpeg, 3, 8)).hasToString(width / 4 + "x" + height / 4 + "x3");
  }

  @ParameterizedTest
  @CsvSource({"1000, 300, 200", "150, 300, 200", "75, 150, 100", "60, 150, 100", "30, 75, 50"})
  void jpegIsReducedWhileEnoughIsLeft(int atLeast, int width, int height) throws Exception {
    byte[] jpeg = TestImages.jpeg(300, 200, ORANGE, BLUE);
    assertThat(decode(jpeg, 3, atLeast)).hasToString(width + "x" + height + "x3");
    assertThat(decode(jpeg, 1, atLeast)).hasToString(width + "x" + height + "x1");
  }

  @Property(tries = 60)
  void reducedImagesKeepTheShorterSideAskedForAndTheColours(
      @ForAll @IntRange(min = 2, max = 90) int width,
      @ForAll @IntRange(min = 2, max = 90) int height,
      @ForAll @IntRange(min = 1, max = 100) int atLeast)
      throws Exception {
    int shorter = Math.min(width, height);
    for (byte[] encoded :
        new byte[][] {
          TestImages.png(width, height, BLUE, BLUE), TestImages.jpeg(width, height, BLUE, BLUE)
        }) {
      Image image = decode(encoded, 3, atLeast);
      assertThat(image.shorterSide()).isBetween(Math.min(shorter, atLeast), shorter);
      if (shorter >= 2 * atLeast) {
        assertThat(image.shorterSide()).isLessThan(2 * atLeast + 1);
      }
      assertNear(image, image.width() - 1, 0, BLUE, 6);
    }
  }

  @Test
  void chunksThatLibpngWarnsAboutDoNotMatter() throws Exception {
    byte[] png = TestImages.withChunk(TestImages.png(3, 2, ORANGE, BLUE), "iCCP", new byte[5]);
    assertThat(rgb(decode(png, 3, FULL), 0, 0)).isEqualTo(ORANGE & 0xffffff);
  }

  @Test
  void everyTruncationOfAPngIsNoticed() {
    byte[] png = TestImages.png(40, 30, ORANGE, BLUE);
    for (int length = 8; length < png.length; length++) {
      assertRefused(TestImages.truncated(png, length), "truncated PNG");
    }
  }

  @Test
  void everyTruncationOfAJpegIsNoticed() {
    byte[] jpeg = TestImages.jpeg(40, 30, ORANGE, BLUE);
    for (int length = 3; length < jpeg.length; length++) {
      assertRefused(TestImages.truncated(jpeg, length), "truncated JPEG");
    }
  }

  @Test
  void truncatedBmpAndPpmAreNoticed() {
    BufferedImage image = TestImages.halves(8, 8, BufferedImage.TYPE_INT_RGB, ORANGE, BLUE);
    byte[] bmp = TestImages.encode(image, "bmp");
    assertRefused(TestImages.truncated(bmp, bmp.length - 1), "truncated BMP");
    assertRefused(TestImages.truncated(bmp, 20), "truncated BMP");
    assertRefused(
        concat("P6\n2 2\n255\n", 1, 2, 3), "truncated PBM/PGM/PPM: 14 bytes of 23 expected");
    assertRefused(concat("P6\n"), "no width");
  }

  @Test
  void aBitFlippedInAPngIsNoticed() {
    byte[] png = TestImages.png(40, 30, ORANGE, BLUE);
    png[png.length / 2] ^= 4;
    assertRefused(png, "wrong checksum in chunk IDAT");
  }

  @Test
  void filesThatAreNoImagesSayWhatTheyAre() {
    assertRefused(new byte[0], "empty file");
    assertRefused("hello world, I am a text".getBytes(UTF_8), "starts with \"hello world,\"");
    assertRefused(new byte[] {0}, "not an image");
  }

  @Test
  void aHugeHeaderIsRefusedBeforeAnythingIsAllocated() {
    assertRefused(TestImages.hugePng(20_000, 20_000), "too large: 20000x20000 pixels, at most 100");
    assertRefused(TestImages.hugePng(Integer.MAX_VALUE, Integer.MAX_VALUE), "too large");
    assertRefused(TestImages.hugePng(-1, 5), "broken PNG: size 4294967295x5");
    assertRefused(concat("P5\n99999999 99999999\n255\n"), "truncated");
    byte[] jpeg = TestImages.jpeg(16, 16, ORANGE, BLUE);
    int frame = 0;
    while (jpeg[frame] != (byte) 0xff || jpeg[frame + 1] != (byte) 0xc0) {
      frame++;
    }
    ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 60_000).putShort(frame + 7, (short) 60_000);
    assertRefused(jpeg, "too large: 60000x60000");
  }

  /** Whatever the bytes, the answer is an image or an UnreadableImageException. */
  @Property(tries = 300)
  void damagedImagesNeverDoWorse(@ForAll long seed) {
    Random random = new Random(seed);
    byte[] bytes =
        random.nextBoolean()
            ? TestImages.png(17, 9, ORANGE, BLUE)
            : TestImages.encode(
                TestImages.halves(17, 9, BufferedImage.TYPE_INT_RGB, ORANGE, BLUE), "bmp");
    for (int i = 0; i < 1 + random.nextInt(4); i++) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    try {
      assertThat(decode(bytes, 3, FULL).channels()).isEqualTo(3);
    } catch (UnreadableImageException e) {
      assertThat(e.reason()).isNotBlank();
    }
  }

  @Test
  void severalThreadsDecodeWhatOneDoes() throws Exception {
    byte[] jpeg = TestImages.jpeg(120, 90, ORANGE, BLUE);
    byte[] expected = decode(jpeg, 3, 40).pixels();
    List<byte[]> all =
        IntStream.range(0, 400)
            .parallel()
            .mapToObj(
                i -> {
                  try {
                    return decode(jpeg, 3, 40).pixels();
                  } catch (UnreadableImageException e) {
                    throw new AssertionError(e);
                  }
                })
            .toList();
    assertThat(all).allSatisfy(pixels -> assertThat(pixels).isEqualTo(expected));
  }

  private static Image decode(byte[] bytes, int channels, int atLeast)
      throws UnreadableImageException {
    return ImageDecoder.decode("test.img", bytes, channels, atLeast);
  }

  private static void assertRefused(byte[] bytes, String reason) {
    assertThatThrownBy(() -> decode(bytes, 3, FULL))
        .isInstanceOf(UnreadableImageException.class)
        .hasMessageStartingWith("test.img: ")
        .hasMessageContaining(reason);
  }

  private static byte[] concat(String header, int... values) {
    byte[] start = header.getBytes(US_ASCII);
    ByteBuffer out = ByteBuffer.allocate(start.length + values.length).put(start);
    for (int value : values) {
      out.put((byte) value);
    }
    return out.array();
  }

  private static int rgb(Image image, int x, int y) {
    int at = (y * image.width() + x) * 3;
    byte[] p = image.pixels();
    return (p[at] & 0xff) << 16 | (p[at + 1] & 0xff) << 8 | (p[at + 2] & 0xff);
  }

  private static void assertNear(Image image, int x, int y, int expected, int tolerance) {
    int actual = rgb(image, x, y);
    for (int shift = 0; shift <= 16; shift += 8) {
      assertThat(actual >> shift & 0xff)
          .as("channel at bit %d of pixel %d,%d: %06x", shift, x, y, actual)
          .isCloseTo(expected >> shift & 0xff, within(tolerance));
    }
  }
}
