package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.Supplier;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Recipes as published, and the refusal of values that can't be meant. */
class AugmentationTest {
  private static void assertRefused(Supplier<?> make, String... words) {
    assertThatThrownBy(make::get)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void theOfficialRecipeIsThePublishedOne() {
    assertThat(Augmentation.official())
        .isEqualTo(new Augmentation(1.0, 0.8, 0.2, 0.5, 0.1, 2.0, 0.0, 0.5, 0.0, 3.0 / 4, 4.0 / 3));
    assertThat(CropSpec.large(2, 224)).isEqualTo(new CropSpec(2, 224, 0.14, 1));
    assertThat(CropSpec.small(6, 96)).isEqualTo(new CropSpec(6, 96, 0.05, 0.14));
    assertThat(Normalisation.imageNet().deviation()).containsExactly(0.228, 0.224, 0.225);
  }

  @Test
  void withersChangeWhatTheyName() {
    Augmentation a =
        Augmentation.none()
            .withJitter(0.25, 0.3)
            .withGrey(0.1)
            .withBlur(0.6, 0.2, 3)
            .withSolarise(0.7)
            .withFlip(0.4)
            .withRotation(15)
            .withRatio(0.5, 2);
    assertThat(a).isEqualTo(new Augmentation(0.25, 0.3, 0.1, 0.6, 0.2, 3, 0.7, 0.4, 15, 0.5, 2));
    assertThat(Augmentation.smallImages())
        .isEqualTo(Augmentation.official().withJitter(0.5, 0.8).withBlur(0, 0.1, 2));
  }

  @Test
  void refusesAugmentationsOutOfRange() {
    Augmentation a = Augmentation.official();
    assertRefused(() -> a.withJitter(-1, 0.8), "jitter strength -1.0");
    assertRefused(() -> a.withJitter(Double.NaN, 0.8), "jitter strength NaN");
    assertRefused(() -> a.withJitter(1, 1.2), "jitter probability 1.2");
    assertRefused(() -> a.withGrey(-0.1), "grey probability -0.1");
    assertRefused(() -> a.withFlip(Double.NaN), "flip probability NaN");
    assertRefused(() -> a.withSolarise(2), "solarise probability 2.0");
    assertRefused(() -> a.withBlur(0.5, 2, 1), "blur sigma 2.0 to 1.0");
    assertRefused(() -> a.withBlur(0.5, 0, 1), "blur sigma 0.0 to 1.0", "probability to 0");
    assertRefused(() -> a.withRotation(181), "`rotate` is 181.0, expected degrees from 0");
    assertRefused(() -> a.withRotation(Double.NaN), "`rotate` is NaN");
    assertRefused(() -> a.withRatio(0, 1), "ratio 0.0 to 1.0");
  }

  @Test
  void refusesCropsOutOfRange() {
    assertRefused(() -> new CropSpec(0, 32, 0.1, 1), "crop count 0");
    assertRefused(() -> new CropSpec(1, 0, 0.1, 1), "crop size 0");
    assertRefused(() -> new CropSpec(1, 32, 0, 1), "scale 0.0 to 1.0");
    assertRefused(() -> new CropSpec(1, 32, 0.5, 0.2), "scale 0.5 to 0.2");
    assertRefused(() -> new CropSpec(1, 32, 0.5, 1.2), "scale 0.5 to 1.2");
    assertRefused(() -> new CropSpec(1, 32, Double.NaN, 1), "scale NaN");
  }

  @Test
  void refusesNormalisationsOutOfRange() {
    assertRefused(() -> new Normalisation(List.of(0.5), List.of(0.1, 0.1)), "1 means and 2");
    assertRefused(
        () -> new Normalisation(List.of(0.5, 0.5), List.of(0.1, 0.1)), "expected 3 of each");
    assertRefused(() -> new Normalisation(List.of(0.5), List.of(0.0)), "deviation 0.0");
    assertRefused(() -> new Normalisation(List.of(124.0), List.of(0.1)), "mean 124.0", "255");
  }

  @Test
  void aMeasuredNormalisationBringsTheSourceToZeroMeanAndUnitDeviation() throws Exception {
    FakeSource source = FakeSource.colour(9).without(4);
    Normalisation n = Normalisation.of(source, 100);
    for (int c = 0; c < 3; c++) {
      double mean = 0;
      double square = 0;
      for (int i : new int[] {0, 1, 2, 3, 5, 6, 7, 8}) {
        Image image = source.read(i, 1);
        int area = image.width() * image.height();
        for (int p = 0; p < area; p++) {
          double v = (image.pixels()[p * 3 + c] & 0xff) / 255.0;
          double z = (v - n.mean().get(c)) / n.deviation().get(c);
          mean += z / area / 8;
          square += z * z / area / 8;
        }
      }
      assertThat(mean).isCloseTo(0, Offset.offset(1e-9));
      assertThat(square).isCloseTo(1, Offset.offset(1e-9));
    }
  }

  @Test
  void measuringASourceWithoutAReadableImageIsRefused() {
    FakeSource source = FakeSource.grey(2).without(0, 1);
    assertRefused(() -> Normalisation.of(source, 5), "none of the 2 images", "broken on purpose");
    assertRefused(() -> Normalisation.of(source, 0), "0 images");
  }
}
