package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacv.Frame;
import org.datavec.image.data.ImageWritable;
import org.datavec.image.transform.ImageTransform;
import org.datavec.image.transform.PipelineImageTransform;
import org.junit.jupiter.api.Test;

/** The DataVec transforms against the operations they stand for. */
class TransformsTest {
  private static final int WIDTH = 17;
  private static final int HEIGHT = 11;
  private static final Image NOISE = FakeSource.noise(1, WIDTH, HEIGHT, 3);
  private static final Image GREY_NOISE = FakeSource.noise(1, WIDTH, HEIGHT, 1);

  /** A frame in DataVec's order, blue first, written here independently of the code under test. */
  private static ImageWritable writable(Image image) {
    int channels = image.channels();
    Frame frame = new Frame(image.width(), image.height(), Frame.DEPTH_UBYTE, channels);
    ByteBuffer buffer = (ByteBuffer) frame.image[0];
    for (int i = 0; i < image.pixels().length; i++) {
      int pixel = i / channels;
      int at =
          pixel / image.width() * frame.imageStride
              + pixel % image.width() * channels
              + (channels - 1 - i % channels);
      buffer.put(at, image.pixels()[i]);
    }
    return new ImageWritable(frame);
  }

  private static int level(ImageWritable image, int x, int y, int channel) {
    Frame frame = image.getFrame();
    int channels = frame.imageChannels;
    ByteBuffer buffer = (ByteBuffer) frame.image[0];
    return buffer.get(y * frame.imageStride + x * channels + channels - 1 - channel) & 0xff;
  }

  private static void assertLevels(ImageWritable image, float[][] planes, int width, int height) {
    assertThat(image.getWidth()).isEqualTo(width);
    assertThat(image.getHeight()).isEqualTo(height);
    assertThat(image.getFrame().imageChannels).isEqualTo(planes.length);
    for (int c = 0; c < planes.length; c++) {
      for (int i = 0; i < width * height; i++) {
        assertThat(level(image, i % width, i / width, c)).isEqualTo(Math.round(planes[c][i] * 255));
      }
    }
  }

  private static float[][] planes(Image image) {
    return ImageOps.resizedCrop(image, 0, 0, HEIGHT, WIDTH, HEIGHT, WIDTH);
  }

  /** A result's levels as planes. */
  private static float[][] planes(ImageWritable image) {
    int width = image.getWidth();
    int height = image.getHeight();
    float[][] planes = new float[image.getFrame().imageChannels][width * height];
    for (int c = 0; c < planes.length; c++) {
      for (int i = 0; i < width * height; i++) {
        planes[c][i] = level(image, i % width, i / width, c) / 255f;
      }
    }
    return planes;
  }

  @Test
  void probabilityZeroLeavesTheImageAlone() {
    ImageWritable image = writable(NOISE);
    for (ImageTransform t :
        List.of(
            new GreyTransform(0),
            new SolariseTransform(0),
            new ColourJitterTransform(0, 1),
            new GaussianBlurTransform(0, 0.1, 2))) {
      assertThat(t.transform(image, new Random(1))).isSameAs(image);
    }
  }

  @Test
  void greyEqualsTheOperation() {
    float[][] p = planes(NOISE);
    ImageOps.grey(p[0], p[1], p[2], 0, WIDTH * HEIGHT);
    ImageWritable image = writable(NOISE);
    assertLevels(new GreyTransform(1).transform(image, new Random(1)), p, WIDTH, HEIGHT);
    assertLevels(image, planes(NOISE), WIDTH, HEIGHT); // the argument is not changed
  }

  @Test
  void solariseInvertsBytesFrom128Up() {
    ImageWritable result = new SolariseTransform(1).transform(writable(GREY_NOISE), new Random(1));
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
      int v = GREY_NOISE.pixels()[i] & 0xff;
      assertThat(level(result, i % WIDTH, i / WIDTH, 0)).isEqualTo(v >= 128 ? 255 - v : v);
    }
  }

  @Test
  void blurEqualsTheOperation() {
    float[][] p = planes(NOISE);
    for (float[] plane : p) {
      ImageOps.blur(plane, WIDTH, HEIGHT, 1.5);
    }
    ImageTransform t = new GaussianBlurTransform(1, 1.5, 1.5);
    assertLevels(t.transform(writable(NOISE), new Random(1)), p, WIDTH, HEIGHT);
  }

  @Test
  void jitterOfStrengthZeroChangesNothing() {
    ImageTransform t = new ColourJitterTransform(1, 0);
    for (Image image : List.of(NOISE, GREY_NOISE)) {
      ImageWritable result = t.transform(writable(image), new Random(1));
      assertLevels(result, planes(image), WIDTH, HEIGHT);
    }
  }

  @Test
  void randomResizedCropEqualsTheResizedWindowItReports() {
    RandomResizedCropTransform t = new RandomResizedCropTransform(8, 0.2, 0.6);
    Random random = new Random(3);
    for (int i = 0; i < 20; i++) {
      ImageWritable result = t.transform(writable(NOISE), random);
      // The points that come out at the corners of the crop are the window's corners.
      float[] a = t.query(0, 0);
      float[] b = t.query(WIDTH, HEIGHT);
      float perX = WIDTH / (b[0] - a[0]);
      float perY = HEIGHT / (b[1] - a[1]);
      float[][] expected =
          ImageOps.resizedCrop(
              NOISE,
              Math.round(-a[1] * perY),
              Math.round(-a[0] * perX),
              Math.round(8 * perY),
              Math.round(8 * perX),
              8,
              8);
      assertLevels(result, expected, 8, 8);
    }
  }

  @Test
  void theRandomPassedDecides() {
    ImageTransform t =
        new PipelineImageTransform(
            new RandomResizedCropTransform(9, 0.1, 1),
            new ColourJitterTransform(0.8, 1),
            new GaussianBlurTransform(0.5, 0.1, 2));
    boolean different = false;
    for (int seed = 0; seed < 10; seed++) {
      ImageWritable first = t.transform(writable(NOISE), new Random(seed));
      float[][] kept = planes(first);
      assertLevels(t.transform(writable(NOISE), new Random(seed)), kept, 9, 9);
      ImageWritable other = t.transform(writable(NOISE), new Random(seed + 100));
      different |= level(other, 4, 4, 0) != level(first, 4, 4, 0);
    }
    assertThat(different).isTrue();
  }

  @Test
  void withoutARandomOneOfItsOwnIsUsed() {
    ImageWritable result = new RandomResizedCropTransform(5, 0.1, 1).transform(writable(NOISE));
    assertThat(result.getWidth()).isEqualTo(5);
  }

  @Test
  void refusesAnAlphaChannel() {
    ImageWritable image = new ImageWritable(new Frame(3, 3, Frame.DEPTH_UBYTE, 4));
    assertThatThrownBy(() -> new GreyTransform(1).transform(image, new Random(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4 channels")
        .hasMessageContaining("COLOR_BGRA2BGR");
  }

  @Test
  void refusesValuesOutOfRange() {
    assertThatThrownBy(() -> new GreyTransform(1.5)).hasMessageContaining("probability 1.5");
    assertThatThrownBy(() -> new ColourJitterTransform(1, 3)).hasMessageContaining("strength 3.0");
    assertThatThrownBy(() -> new GaussianBlurTransform(1, 0, 1)).hasMessageContaining("sigma 0.0");
    assertThatThrownBy(() -> new RandomResizedCropTransform(0, 0.1, 1))
        .hasMessageContaining("size 0");
    assertThatThrownBy(() -> new RandomResizedCropTransform(8, 0.1, 1, 2, 1))
        .hasMessageContaining("ratio 2.0 to 1.0");
  }
}
