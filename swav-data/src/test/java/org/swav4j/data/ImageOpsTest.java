package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.Color;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Equalities and bounds of the image operations, on noise of any size. */
class ImageOpsTest {
  private static final Offset<Float> ROUNDING = Offset.offset(1e-5f);

  private static float[][] noise(int seed, int width, int height) {
    Image image = FakeSource.noise(seed, width, height, 3);
    return ImageOps.resizedCrop(image, 0, 0, height, width, height, width);
  }

  private static float[][] copy(float[][] planes) {
    return Arrays.stream(planes).map(float[]::clone).toArray(float[][]::new);
  }

  private static void assertClose(float[][] actual, float[][] expected) {
    for (int c = 0; c < expected.length; c++) {
      assertThat(actual[c]).containsExactly(expected[c], ROUNDING);
    }
  }

  @Property(tries = 100)
  void resizingToTheSameSizeCopies(
      @ForAll @IntRange(min = 1, max = 40) int width,
      @ForAll @IntRange(min = 1, max = 40) int height) {
    Image image = FakeSource.noise(width, width, height, 3);
    float[][] planes = ImageOps.resizedCrop(image, 0, 0, height, width, height, width);
    for (int i = 0; i < image.pixels().length; i++) {
      assertThat(planes[i % 3][i / 3]).isEqualTo((image.pixels()[i] & 0xff) * (float) (1.0 / 255));
    }
  }

  @Property(tries = 200)
  void resizingAConstantGivesTheConstant(
      @ForAll @IntRange(min = 1, max = 60) int width,
      @ForAll @IntRange(min = 1, max = 60) int height,
      @ForAll @IntRange(min = 1, max = 60) int outWidth,
      @ForAll @IntRange(min = 1, max = 60) int outHeight,
      @ForAll @IntRange(min = 0, max = 255) int level) {
    byte[] pixels = new byte[width * height];
    Arrays.fill(pixels, (byte) level);
    Image image = new Image(width, height, 1, pixels);
    float[] plane = ImageOps.resizedCrop(image, 0, 0, height, width, outHeight, outWidth)[0];
    for (float v : plane) {
      assertThat(v).isCloseTo(level / 255f, ROUNDING);
    }
  }

  /** The formula, pixel by pixel, in double: nothing shared with the code under test. */
  @Property(tries = 60)
  void resizingIsTheTriangleFilter(
      @ForAll @IntRange(min = 1, max = 23) int width,
      @ForAll @IntRange(min = 1, max = 23) int height,
      @ForAll @IntRange(min = 1, max = 23) int outWidth,
      @ForAll @IntRange(min = 1, max = 23) int outHeight,
      @ForAll @IntRange(min = 0, max = 9) int top,
      @ForAll @IntRange(min = 0, max = 9) int left) {
    Image image = FakeSource.noise(5, width + left + 2, height + top + 1, 3);
    float[][] planes = ImageOps.resizedCrop(image, top, left, height, width, outHeight, outWidth);
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < outHeight; y++) {
        for (int x = 0; x < outWidth; x++) {
          double sum = 0;
          double total = 0;
          for (int v = 0; v < height; v++) {
            for (int u = 0; u < width; u++) {
              double w = triangle(v, y, height, outHeight) * triangle(u, x, width, outWidth);
              sum += w * (image.pixels()[((top + v) * image.width() + left + u) * 3 + c] & 0xff);
              total += w;
            }
          }
          assertThat((double) planes[c][y * outWidth + x])
              .isCloseTo(sum / total / 255, Offset.offset(1e-6));
        }
      }
    }
  }

  private static double triangle(int source, int target, int in, int out) {
    double scale = (double) in / out;
    double distance = Math.abs(source + 0.5 - (target + 0.5) * scale);
    return Math.max(0, 1 - distance / Math.max(1, scale));
  }

  @Property(tries = 50)
  void flippingTwiceGivesTheImageBack(
      @ForAll @IntRange(min = 1, max = 30) int width,
      @ForAll @IntRange(min = 1, max = 30) int height) {
    float[] plane = noise(3, width, height)[0];
    float[] twice = plane.clone();
    ImageOps.flip(twice, width, height);
    assertThat(twice[width - 1]).isEqualTo(plane[0]);
    ImageOps.flip(twice, width, height);
    assertThat(twice).isEqualTo(plane);
  }

  @Property(tries = 100)
  void blurKeepsAConstant(
      @ForAll @IntRange(min = 1, max = 50) int width,
      @ForAll @IntRange(min = 1, max = 50) int height,
      @ForAll @DoubleRange(min = 0.05, max = 9) double sigma) {
    float[] plane = new float[width * height];
    Arrays.fill(plane, 0.7f);
    ImageOps.blur(plane, width, height, sigma);
    for (float v : plane) {
      assertThat(v).isCloseTo(0.7f, ROUNDING);
    }
  }

  /** Larger than one piece of the convolution, so that the seams are crossed. */
  @Property(tries = 10)
  void blurIsTheSumOverTheKernel(@ForAll @DoubleRange(min = 0.3, max = 3) double sigma) {
    int width = 71;
    int height = 53;
    float[] plane = noise(8, width, height)[1];
    float[] blurred = plane.clone();
    ImageOps.blur(blurred, width, height, sigma);
    int radius = (int) Math.ceil(4 * sigma);
    for (int i = 0; i < plane.length; i += 7) {
      double sum = 0;
      double total = 0;
      for (int dy = -radius; dy <= radius; dy++) {
        for (int dx = -radius; dx <= radius; dx++) {
          double w = Math.exp(-0.5 * (dx * dx + dy * dy) / (sigma * sigma));
          int x = Math.min(Math.max(i % width + dx, 0), width - 1);
          int y = Math.min(Math.max(i / width + dy, 0), height - 1);
          sum += w * plane[y * width + x];
          total += w;
        }
      }
      assertThat((double) blurred[i]).isCloseTo(sum / total, Offset.offset(1e-5));
    }
  }

  @Property(tries = 200)
  void hueIsTheTurnOfTheHsvCircle(
      @ForAll @IntRange(min = 0, max = 255) int red,
      @ForAll @IntRange(min = 0, max = 255) int green,
      @ForAll @IntRange(min = 0, max = 255) int blue,
      @ForAll @DoubleRange(min = -0.5, max = 0.5) double turn) {
    float[] hsb = Color.RGBtoHSB(red, green, blue, null);
    float hue = hsb[0] + (float) turn;
    hue -= (float) Math.floor(hue);
    // java.awt makes black of a hue just below 0, which it rounds to a whole turn.
    int expected = Color.HSBtoRGB(hue < 1 ? hue : 0, hsb[1], hsb[2]);
    float[] r = {red / 255f};
    float[] g = {green / 255f};
    float[] b = {blue / 255f};
    ImageOps.hue(r, g, b, 0, 1, (float) turn);
    // java.awt rounds to bytes.
    assertThat(r[0] * 255).isCloseTo(expected >> 16 & 0xff, Offset.offset(0.6f));
    assertThat(g[0] * 255).isCloseTo(expected >> 8 & 0xff, Offset.offset(0.6f));
    assertThat(b[0] * 255).isCloseTo(expected & 0xff, Offset.offset(0.6f));
  }

  @Property(tries = 50)
  void turningTheHueBackGivesTheImageBack(@ForAll @DoubleRange(min = -0.5, max = 0.5) double turn) {
    float[][] image = noise(4, 40, 30);
    float[][] turned = copy(image);
    ImageOps.hue(turned[0], turned[1], turned[2], 0, 1200, (float) turn);
    ImageOps.hue(turned[0], turned[1], turned[2], 0, 1200, (float) -turn);
    assertClose(turned, image);
  }

  @Test
  void neutralFactorsChangeNothing() {
    float[][] image = noise(4, 40, 30);
    float[][] p = copy(image);
    for (float[] plane : p) {
      ImageOps.brightness(plane, 0, 1200, 1);
      ImageOps.contrast(plane, 0, 1200, 1, 0.3f);
      ImageOps.normalise(plane, 0, 1200, 0, 1);
    }
    ImageOps.saturation(p[0], p[1], p[2], 0, 1200, 1);
    ImageOps.hue(p[0], p[1], p[2], 0, 1200, 0);
    assertClose(p, image);
  }

  @Test
  void noSaturationIsGreyAndNoContrastIsItsMean() {
    float[][] image = noise(4, 40, 30);
    float[][] grey = copy(image);
    ImageOps.grey(grey[0], grey[1], grey[2], 0, 1200);
    float[][] p = copy(image);
    ImageOps.saturation(p[0], p[1], p[2], 0, 1200, 0);
    assertClose(p, grey);
    float mean = ImageOps.meanGrey(image[0], image[1], image[2], 1200);
    double sum = 0;
    for (float v : grey[0]) {
      sum += v;
    }
    assertThat((double) mean).isCloseTo(sum / 1200, Offset.offset(1e-6));
    ImageOps.contrast(p[0], 0, 1200, 0, mean);
    for (float v : p[0]) {
      assertThat(v).isEqualTo(mean);
    }
  }

  @Test
  void onlyTheRangeGivenIsTouched() {
    float[][] image = noise(4, 40, 30);
    float[][] p = copy(image);
    ImageOps.hue(p[0], p[1], p[2], 100, 200, 0.3f);
    ImageOps.saturation(p[0], p[1], p[2], 100, 200, 0.1f);
    ImageOps.grey(p[0], p[1], p[2], 100, 200);
    for (float[] plane : p) {
      ImageOps.solarise(plane, 100, 200);
      ImageOps.brightness(plane, 100, 200, 0.5f);
    }
    for (int c = 0; c < 3; c++) {
      assertThat(Arrays.mismatch(p[c], image[c])).isEqualTo(100);
      assertThat(Arrays.copyOfRange(p[c], 200, 1200))
          .isEqualTo(Arrays.copyOfRange(image[c], 200, 1200));
    }
  }

  @Test
  void refusesAWindowOutsideTheImage() {
    Image image = FakeSource.noise(0, 10, 8, 3);
    assertThatThrownBy(() -> ImageOps.resizedCrop(image, 3, 0, 6, 10, 4, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("window of 10x6 pixels at (0, 3)")
        .hasMessageContaining("10x8x3");
    assertThatThrownBy(() -> ImageOps.resizedCrop(image, 0, 0, 8, 10, 0, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4x0");
  }
}
