package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.IntBinaryOperator;
import org.assertj.core.data.Offset;
import org.datavec.image.data.ImageWritable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A turned window shows the picture turned. */
class RotatedWindowTest {
  private static final int SIDE = 9;
  private static final int LEFT = 4;
  private static final int TOP = 3;

  /** A window of the picture through the resampler at its own size: levels of 0 to 1. */
  private static float[][] turned(Image image, int side, double degrees) {
    float[][] planes = new float[image.channels()][side * side];
    new Resampler().resample(image, TOP, LEFT, side, side, degrees, false, planes, side, side);
    return planes;
  }

  private static void assertPixels(double degrees, IntBinaryOperator row, IntBinaryOperator col) {
    for (int channels : new int[] {1, 3}) {
      Image image = FakeSource.noise(5, 20, 17, channels);
      float[][] crop = turned(image, SIDE, degrees);
      for (int c = 0; c < channels; c++) {
        for (int y = 0; y < SIDE; y++) {
          for (int x = 0; x < SIDE; x++) {
            int at = (TOP + row.applyAsInt(x, y)) * 20 + LEFT + col.applyAsInt(x, y);
            assertThat(crop[c][y * SIDE + x])
                .isCloseTo((image.pixels()[at * channels + c] & 0xff) / 255f, Offset.offset(1e-5f));
          }
        }
      }
    }
  }

  @Test
  void quarterTurnsMoveThePixelsOfASquareWindowUnchanged() {
    int last = SIDE - 1;
    assertPixels(90, (x, y) -> x, (x, y) -> last - y);
    assertPixels(180, (x, y) -> last - y, (x, y) -> last - x);
    assertPixels(-90, (x, y) -> last - x, (x, y) -> y);
  }

  /** The way of turned windows at a turn of (nearly) nothing, against that of upright ones. */
  @ParameterizedTest
  @ValueSource(ints = {5, 9, 40})
  void aTurnByNothingIsTheUprightWindow(int size) {
    Image image = FakeSource.noise(2, 50, 41, 3);
    float[][] upright = new float[3][size * size];
    float[][] turned = new float[3][size * size];
    Resampler resampler = new Resampler();
    resampler.resample(image, TOP, LEFT, 21, 30, 0, true, upright, size, size);
    resampler.resample(image, TOP, LEFT, 21, 30, 1e-12, true, turned, size, size);
    for (int c = 0; c < 3; c++) {
      assertThat(turned[c]).containsExactly(upright[c], Offset.offset(1e-6f));
    }
  }

  /** Beyond the image lies its mirror image, however far. */
  @Test
  void aPictureWithMirrorSymmetryIsTheSameBeyondItsEdges() {
    byte[] stripes = new byte[6 * 6];
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = (byte) (i / 6 * 40);
    }
    // Turned by 90 degrees, the top of a window 2 wide and 30 high lies 12 pixels off the image.
    RotatedWindow window = new RotatedWindow();
    window.prepare(6, 6, -12, 2, 30, 2, 90);
    float[] line = new float[2];
    for (int y = 0; y < 30; y++) {
      window.row(stripes, 1, y, line);
      assertThat(line).containsExactly(new float[] {80, 120}, Offset.offset(1e-3f));
    }
    window.prepare(6, 6, -12, 2, 30, 2, 180);
    for (int y = 0; y < 30; y++) {
      window.row(stripes, 1, y, line);
      int from = Math.floorMod(17 - y, 12);
      assertThat(line[0]).isCloseTo(40f * Math.min(from, 11 - from), Offset.offset(1e-3f));
    }
  }

  /** Of a slanted plane, which bilinear sampling keeps, a crop shows at query(p) the value at p. */
  @Test
  void whereQuerySendsAPointTheCropShowsIt() {
    int side = 60;
    float[][] slope = new float[1][side * side];
    for (int i = 0; i < side * side; i++) {
      slope[0][i] = slope(i % side + 0.5, i / side + 0.5);
    }
    RandomResizedCropTransform transform =
        new RandomResizedCropTransform(16, 0.1, 0.5, 0.5, 2, 180);
    Random random = new Random(7);
    int compared = 0;
    for (int i = 0; i < 30; i++) {
      ImageWritable result = transform.transform(Frames.writable(slope, side, side, true), random);
      float[] crop = Frames.planes(result.getFrame())[0];
      for (int y = 12; y < 48; y += 3) {
        for (int x = 12; x < 48; x += 3) {
          float[] at = transform.query(x, y);
          double u = at[0] - 0.5;
          double v = at[1] - 0.5;
          if (u >= 3 && u < 12 && v >= 3 && v < 12) {
            int p = (int) v * 16 + (int) u;
            double below = v - (int) v;
            double right = u - (int) u;
            double shown =
                (1 - below) * ((1 - right) * crop[p] + right * crop[p + 1])
                    + below * ((1 - right) * crop[p + 16] + right * crop[p + 17]);
            assertThat(shown).isCloseTo(slope(x, y), Offset.offset(1e-3));
            compared++;
          }
        }
      }
    }
    assertThat(compared).isGreaterThan(500);
  }

  private static float slope(double x, double y) {
    return (float) (0.1 + 0.009 * x + 0.005 * y);
  }

  /** Every orientation equally often, and nothing is drawn where nothing is turned. */
  @Test
  void anglesAreUniformAndAnUprightCropDrawsNone() {
    CropSpec spec = CropSpec.large(1, 8);
    FusedCrop turning = FusedCrop.published(spec, Augmentation.official().withRotation(180));
    CropDraw draw = new CropDraw();
    int[] quarters = new int[4];
    int n = 8000;
    for (int i = 0; i < n; i++) {
      turning.draw(draw, 50, 40, new CounterRandom(1, 0, i, 0));
      quarters[(int) ((draw.degrees + 180) / 90)]++;
    }
    for (int quarter : quarters) {
      assertThat(quarter / (double) n)
          .isCloseTo(0.25, Offset.offset(6 * Math.sqrt(0.25 * 0.75 / n)));
    }
    CounterRandom random = new CounterRandom(1, 0, 3, 0);
    CounterRandom other = new CounterRandom(1, 0, 3, 0);
    new RandomResizedCropTransform(8, 0.14, 1, 3.0 / 4, 4.0 / 3, 0).draw(draw, 50, 40, random);
    CropDraw window = new CropDraw();
    window.drawWindow(50, 40, 0.14, 1, 3.0 / 4, 4.0 / 3, other);
    assertThat(random.nextLong()).isEqualTo(other.nextLong());
  }
}
