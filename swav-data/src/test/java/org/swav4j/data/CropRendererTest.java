package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** What is drawn, and that a crop is the separate operations one after the other. */
class CropRendererTest {
  private static final Augmentation EVERYTHING = Augmentation.official().withSolarise(0.3);
  private static final Map<CropSpec, FusedCrop> PUBLISHED = new HashMap<>();
  private static final Normalisation GREY = new Normalisation(List.of(0.4), List.of(0.3));

  private static Normalisation normalisation(int channels) {
    return channels == 3 ? Normalisation.imageNet() : GREY;
  }

  private static void draw(CropDraw d, CropSpec spec, int width, int height, CounterRandom random) {
    PUBLISHED
        .computeIfAbsent(spec, s -> FusedCrop.published(s, EVERYTHING))
        .draw(d, width, height, random);
  }

  private static float[] separately(Image image, CropSpec spec, CropDraw d, Normalisation n) {
    int size = spec.size();
    int area = size * size;
    float[][] p = ImageOps.resizedCrop(image, d.top, d.left, d.height, d.width, size, size);
    boolean colour = p.length == 3;
    if (d.flip) {
      Arrays.stream(p).forEach(x -> ImageOps.flip(x, size, size));
    }
    for (int op : d.jitter ? d.order : new int[0]) {
      if (op == CropDraw.BRIGHTNESS) {
        Arrays.stream(p).forEach(x -> ImageOps.brightness(x, 0, area, d.brightness));
      } else if (op == CropDraw.CONTRAST) {
        float mean =
            colour ? ImageOps.meanGrey(p[0], p[1], p[2], area) : ImageOps.meanGrey(p[0], area);
        Arrays.stream(p).forEach(x -> ImageOps.contrast(x, 0, area, d.contrast, mean));
      } else if (op == CropDraw.SATURATION && colour) {
        ImageOps.saturation(p[0], p[1], p[2], 0, area, d.saturation);
      } else if (op == CropDraw.HUE && colour) {
        ImageOps.hue(p[0], p[1], p[2], 0, area, d.hue);
      }
    }
    if (d.grey && colour) {
      ImageOps.grey(p[0], p[1], p[2], 0, area);
    }
    float[] out = new float[p.length * area];
    for (int c = 0; c < p.length; c++) {
      if (d.sigma > 0) {
        ImageOps.blur(p[c], size, size, d.sigma);
      }
      if (d.solarise) {
        ImageOps.solarise(p[c], 0, area);
      }
      ImageOps.normalise(
          p[c], 0, area, n.mean().get(c).floatValue(), n.deviation().get(c).floatValue());
      System.arraycopy(p[c], 0, out, c * area, area);
    }
    return out;
  }

  /** Sizes below and above the pieces that the renderer works in. */
  @Property(tries = 150)
  void aCropIsTheSeparateOperationsInTurn(
      @ForAll @IntRange(min = 0, max = 100_000) int sample,
      @ForAll @IntRange(min = 1, max = 60) int size,
      @ForAll boolean colour) {
    int channels = colour ? 3 : 1;
    Image image = FakeSource.noise(sample, 30 + sample % 40, 20 + sample % 50, channels);
    CropSpec spec = new CropSpec(1, size, 0.1, 1);
    Normalisation n = normalisation(channels);
    CropDraw d = new CropDraw();
    draw(d, spec, image.width(), image.height(), new CounterRandom(1, 2, sample, 3));
    float[] expected = separately(image, spec, d, n);
    float[] actual =
        new CropRenderer(EVERYTHING, n).render(image, spec, new CounterRandom(1, 2, sample, 3));
    assertThat(actual).containsExactly(expected, Offset.offset(2e-5f));
  }

  @Test
  void aRendererThatHasMadeOtherCropsMakesTheSame() {
    CropRenderer used = new CropRenderer(EVERYTHING, Normalisation.imageNet());
    for (int i = 0; i < 60; i++) {
      Image image = FakeSource.noise(i, 10 + 7 * i % 90, 10 + 5 * i % 80, 3);
      CropSpec spec = new CropSpec(1, 5 + 11 * i % 60, 0.05, 1);
      float[] fresh =
          new CropRenderer(EVERYTHING, Normalisation.imageNet())
              .render(image, spec, new CounterRandom(0, 0, i, 0));
      assertThat(used.render(image, spec, new CounterRandom(0, 0, i, 0))).isEqualTo(fresh);
    }
  }

  @Test
  void withNothingToDoASquareImageIsOnlyNormalised() {
    Image image = FakeSource.noise(1, 16, 16, 1);
    CropRenderer renderer = new CropRenderer(Augmentation.none().withRatio(1, 1), GREY);
    float[] crop = renderer.render(image, new CropSpec(1, 16, 1, 1), new CounterRandom());
    for (int i = 0; i < crop.length; i++) {
      assertThat(crop[i])
          .isCloseTo(((image.pixels()[i] & 0xff) / 255f - 0.4f) / 0.3f, Offset.offset(1e-5f));
    }
  }

  @Test
  void aOnePixelImageIsCropped() {
    Image image = new Image(1, 1, 3, new byte[] {(byte) 255, 0, 51});
    CropRenderer renderer = new CropRenderer(Augmentation.none(), Normalisation.imageNet());
    float[] crop = renderer.render(image, CropSpec.small(1, 4), new CounterRandom());
    for (int i = 0; i < 16; i++) {
      assertThat(crop[i]).isCloseTo((1 - 0.485f) / 0.228f, Offset.offset(1e-5f));
      assertThat(crop[32 + i]).isCloseTo((0.2f - 0.406f) / 0.225f, Offset.offset(1e-5f));
    }
  }

  @Test
  void nothingIsAllocatedPerCrop() {
    CropRenderer renderer =
        new CropRenderer(EVERYTHING.withRotation(180), Normalisation.imageNet());
    Image image = FakeSource.noise(1, 90, 70, 3);
    CropSpec spec = CropSpec.large(1, 48);
    CounterRandom random = new CounterRandom();
    FloatBuffer out = ByteBuffer.allocateDirect(4 * renderer.length(spec)).asFloatBuffer();
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().getId();
    for (int i = 0; i < 300; i++) { // the same crops as measured below: all scratch has its size
      renderer.render(image, spec, random.reset(0, 0, i, 0), out, 0);
    }
    long before = threads.getThreadAllocatedBytes(id);
    for (int i = 0; i < 300; i++) {
      renderer.render(image, spec, random.reset(0, 0, i, 0), out, 0);
    }
    // Far below one object per crop; the measurement itself may allocate a little.
    assertThat(threads.getThreadAllocatedBytes(id) - before).isLessThan(300 * 8);
  }

  @Test
  void refusesAnImageOfOtherChannels() {
    CropRenderer renderer = new CropRenderer(EVERYTHING, Normalisation.imageNet());
    Image grey = FakeSource.noise(1, 9, 9, 1);
    assertThatThrownBy(() -> renderer.render(grey, CropSpec.large(1, 4), new CounterRandom()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("9x9x1")
        .hasMessageContaining("3 channels");
  }

  @Property(tries = 500)
  void windowsLieInTheImage(
      @ForAll @IntRange(min = 1, max = 3000) int width,
      @ForAll @IntRange(min = 1, max = 3000) int height,
      @ForAll long seed) {
    CropDraw d = new CropDraw();
    for (CropSpec spec : List.of(CropSpec.large(1, 224), CropSpec.small(1, 96))) {
      draw(d, spec, width, height, new CounterRandom(seed, 0, 0, 0));
      assertThat(d.width).isBetween(1, width);
      assertThat(d.height).isBetween(1, height);
      assertThat(d.left).isBetween(0, width - d.width);
      assertThat(d.top).isBetween(0, height - d.height);
    }
  }

  @Property(tries = 500)
  void windowsOfARoomyImageHaveTheAreaAndRatioAskedFor(@ForAll long seed) {
    CropDraw d = new CropDraw();
    draw(d, CropSpec.small(1, 96), 1000, 1000, new CounterRandom(seed, 0, 0, 0));
    assertThat(d.width * d.height / 1e6).isBetween(0.0495, 0.1405);
    assertThat((double) d.width / d.height).isBetween(0.745, 1.342);
  }

  @Test
  void withoutAFittingWindowTheLargestCentralOneIsTaken() {
    CropDraw d = new CropDraw();
    // Of a 1000x10 strip every window of 90 % of the area is too high.
    draw(d, new CropSpec(1, 8, 0.9, 1), 1000, 10, new CounterRandom());
    assertThat(List.of(d.width, d.height, d.left, d.top)).containsExactly(13, 10, 493, 0);
    draw(d, new CropSpec(1, 8, 0.9, 1), 10, 1000, new CounterRandom());
    assertThat(List.of(d.width, d.height, d.left, d.top)).containsExactly(10, 13, 0, 493);
  }

  /** Shares within six standard errors of what was asked. */
  @Test
  void everythingIsDrawnAsOftenAsAsked() {
    int n = 40_000;
    int flips = 0;
    int jitters = 0;
    int greys = 0;
    int blurs = 0;
    int solarised = 0;
    Map<List<Integer>, Integer> orders = new HashMap<>();
    CropDraw d = new CropDraw();
    for (int i = 0; i < n; i++) {
      draw(d, CropSpec.large(1, 8), 50, 50, new CounterRandom(0, 0, i, 0));
      flips += d.flip ? 1 : 0;
      greys += d.grey ? 1 : 0;
      solarised += d.solarise ? 1 : 0;
      if (d.sigma > 0) {
        blurs++;
        assertThat(d.sigma).isBetween(0.1, 2.0);
      }
      if (d.jitter) {
        jitters++;
        orders.merge(Arrays.stream(d.order).boxed().toList(), 1, Integer::sum);
        assertThat(d.brightness).isBetween(0.2f, 1.8f);
        assertThat(d.contrast).isBetween(0.2f, 1.8f);
        assertThat(d.saturation).isBetween(0.2f, 1.8f);
        assertThat(d.hue).isBetween(-0.2f, 0.2f);
      }
    }
    assertShare(flips, n, 0.5);
    assertShare(jitters, n, 0.8);
    assertShare(greys, n, 0.2);
    assertShare(blurs, n, 0.5);
    assertShare(solarised, n, 0.3);
    assertThat(orders).hasSize(24);
    int all = jitters;
    orders.values().forEach(count -> assertShare(count, all, 1.0 / 24));
  }

  private static void assertShare(int count, int n, double p) {
    assertThat((double) count / n).isCloseTo(p, Offset.offset(6 * Math.sqrt(p * (1 - p) / n)));
  }
}
