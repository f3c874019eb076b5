package org.swav4j.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kind of file that is read shows what two independent decoders show, or is refused by name.
 * The corpus and how it was made: {@code src/test/resources/corpus/make.py}.
 */
class CorpusTest {
  /** A line of the manifest. */
  record Entry(String file, String expectation, String tolerance) {
    @Override
    public String toString() {
      return file;
    }
  }

  static Stream<Entry> manifest() throws IOException {
    return new String(resource("manifest.tsv"), UTF_8)
        .lines()
        .map(line -> line.split("\t", -1))
        .map(columns -> new Entry(columns[0], columns[1], columns[2]));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("manifest")
  void isRightOrRefused(Entry entry) throws Exception {
    byte[] bytes = resource("files/" + entry.file());
    if (entry.expectation().startsWith("refused: ")) {
      assertThatThrownBy(() -> decode(entry.file(), bytes))
          .isInstanceOf(UnreadableImageException.class)
          .hasMessageStartingWith(entry.file() + ": ")
          .hasMessageContaining(entry.expectation().substring("refused: ".length()));
      return;
    }
    Image image = decode(entry.file(), bytes);
    BufferedImage right =
        ImageIO.read(CorpusTest.class.getResource("/corpus/right/" + entry.expectation()));
    assertThat(image).hasToString(right.getWidth() + "x" + right.getHeight() + "x3");
    int[] expected =
        right.getRaster().getPixels(0, 0, right.getWidth(), right.getHeight(), (int[]) null);
    int furthest = 0;
    for (int i = 0; i < expected.length; i++) {
      furthest = Math.max(furthest, Math.abs(expected[i] - (image.pixels()[i] & 0xff)));
    }
    assertThat(furthest).isLessThanOrEqualTo(Integer.parseInt(entry.tolerance()));
  }

  /** Whatever the bytes, the answer is an image or an {@link UnreadableImageException}. */
  @Test
  void damagedFilesNeverDoWorse() throws Exception {
    Random random = new Random(7);
    for (Entry entry : manifest().toList()) {
      byte[] bytes = resource("files/" + entry.file());
      for (int change = 0; bytes.length > 0 && change < 4; change++) {
        byte[] damaged = bytes.clone();
        // Headers decide most: half of the changes are among the first bytes.
        int range = change % 2 == 0 ? Math.min(100, bytes.length) : bytes.length;
        damaged[random.nextInt(range)] = (byte) random.nextInt();
        try {
          assertThat(decode(entry.file(), damaged).channels()).isEqualTo(3);
        } catch (UnreadableImageException e) {
          assertThat(e.reason()).isNotBlank().doesNotContain("\n");
        }
      }
    }
  }

  /** What ImageIO decodes shows the same as the file, where ImageIO keeps all that it declares. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "png-grey1.png",
        "png-grey4.png",
        "png-grey8.png",
        "png-grey16.png",
        "png-greyalpha8.png",
        "png-greyalpha16.png",
        "png-rgb8.png",
        "png-rgb16.png",
        "png-rgba8.png",
        "png-rgba16.png",
        "png-palette4-transparent.png",
        "bmp-555.bmp",
        "bmp-565.bmp",
        "bmp-palette8.bmp",
        "gif-transparent.gif"
      })
  void bufferedImagesShowWhatFilesDo(String file) throws Exception {
    byte[] bytes = resource("files/" + file);
    BufferedImage read = ImageIO.read(new ByteArrayInputStream(bytes));
    for (int channels : new int[] {1, 3}) {
      Image expected = ImageDecoder.decode(file, bytes, channels, Integer.MAX_VALUE);
      Image image = ImageDecoder.of(read, channels, Integer.MAX_VALUE);
      assertThat(image).hasToString(expected.toString());
      for (int i = 0; i < expected.pixels().length; i++) {
        assertThat(image.pixels()[i] & 0xff).isCloseTo(expected.pixels()[i] & 0xff, within(1));
      }
    }
    Image streamed =
        ImageDecoder.decode(file, new ByteArrayInputStream(bytes), 3, Integer.MAX_VALUE);
    assertThat(streamed.pixels()).isEqualTo(decode(file, bytes).pixels());
  }

  @Test
  void sixteenBitsInPartOfTheirRangeAreRemarked() throws Exception {
    SkippedImages noted = new SkippedImages();
    for (String file : List.of("pnm-pgm-65535.pgm", "png-grey16.png", "tiff-grey16-II.tif")) {
      noted.remark(file, decode(file, resource("files/" + file)));
    }
    assertThat(noted.remarks()).isEmpty();
    byte[] dark = "P5 3 1 65535 \17\240\0\0\0\1".getBytes(ISO_8859_1); // the largest is 4000
    noted.remark("a.pgm", decode("a.pgm", dark));
    noted.remark("b.pgm", decode("b.pgm", dark));
    noted.remark("a.pgm", decode("a.pgm", dark));
    assertThat(noted.remarks())
        .containsExactly(
            "2 images of 16 bits a value with most of the range unused, which come out nearly black"
                + " (scale the values to the full range), for example a.pgm (its largest value is"
                + " 4000 of 65535: 6.1 % of the range)");
    assertThat(noted.count()).isZero();
  }

  @Test
  void profilesAndGammasThatAreNotAppliedAreRemarked() throws Exception {
    for (String file : List.of("png-profile-broken.png", "jpeg-profile-broken.jpg")) {
      assertThat(decode(file, resource("files/" + file)).remark().orElseThrow().kind())
          .isEqualTo(ImageRemark.Kind.PROFILE);
    }
    assertThat(
            decode("gamma", resource("files/png-gamma-ignored.png")).remark().orElseThrow().kind())
        .isEqualTo(ImageRemark.Kind.GAMMA);
    assertThat(decode("srgb", resource("files/jpeg-profile-srgb.jpg")).remark()).isEmpty();
  }

  /** 12 megapixels take no more of the heap than their rows and the reduced image. */
  @Test
  void largeImagesAreNotHeldInTheHeap() throws Exception {
    byte[] ppm = Arrays.copyOf("P6 4000 3000 255 ".getBytes(US_ASCII), 17 + 36_000_000);
    BufferedImage grey = new BufferedImage(4000, 3000, BufferedImage.TYPE_BYTE_GRAY);
    byte[] jpeg = TestImages.encode(grey, "jpg");
    for (byte[] bytes : List.of(ppm, jpeg)) {
      ImageDecoder.decode("first", bytes, 3, 256);
      long before = allocated();
      assertThat(ImageDecoder.decode("large", bytes, 3, 256))
          .hasToString(bytes == ppm ? "363x272x3" : "500x375x3");
      assertThat(allocated() - before).isLessThan(3_000_000);
    }
  }

  private static long allocated() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getCurrentThreadAllocatedBytes();
  }

  /** The decoders of WebP and TIFF may be missing; other formats don't notice. */
  @ParameterizedTest
  @CsvSource({
    "webp-lossless.webp, com.luciad., WebP needs com.github.usefulness:webp-imageio",
    "tiff-rgb8-II.tif, com.twelvemonkeys., TIFF needs com.twelvemonkeys.imageio:imageio-tiff"
  })
  void aMissingLibraryIsNamed(String file, String missing, String message) throws Exception {
    Method decode =
        new Without(missing)
            .loadClass(ImageDecoder.class.getName())
            .getMethod("decode", String.class, byte[].class, int.class, int.class);
    assertThat(decode.invoke(null, "a", resource("files/jpeg-444.jpg"), 3, 100)).isNotNull();
    assertThatThrownBy(() -> decode.invoke(null, file, resource("files/" + file), 3, 100))
        .cause()
        .hasMessageStartingWith(file + ": " + message);
  }

  /** Loads this module's classes anew, and those of one library not at all. */
  private static final class Without extends ClassLoader {
    private final String missing;

    Without(String missing) {
      super(CorpusTest.class.getClassLoader());
      this.missing = missing;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith(missing)) {
        throw new ClassNotFoundException(name);
      }
      if (!name.startsWith("org.swav4j.data.")) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        if (loaded != null) {
          return loaded;
        }
        try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
          byte[] bytes = in.readAllBytes();
          return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
          throw new ClassNotFoundException(name, e);
        }
      }
    }
  }

  private static Image decode(String file, byte[] bytes) throws UnreadableImageException {
    return ImageDecoder.decode(file, bytes, 3, Integer.MAX_VALUE);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = CorpusTest.class.getResourceAsStream("/corpus/" + name)) {
      return in.readAllBytes();
    }
  }
}
