package org.swav4j.train.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;

class SampleTest {
  /** Labels alone. */
  private record Labels(int size, IntUnaryOperator labels) implements ImageSource {
    @Override
    public String name() {
      return "labels";
    }

    @Override
    public int channels() {
      return 3;
    }

    @Override
    public Image read(int index, int atLeast) {
      throw new UnsupportedOperationException("a sample is drawn without reading an image");
    }

    @Override
    public int label(int index) {
      return labels.applyAsInt(index);
    }

    @Override
    public List<String> classes() {
      return List.of();
    }

    @Override
    public String describe(int index) {
      return "image " + index;
    }
  }

  private static Stream<Arguments> orders() {
    return Stream.of(
        Arguments.of("periodic", (IntUnaryOperator) i -> i % 12),
        Arguments.of("periodic in pairs", (IntUnaryOperator) i -> i / 2 % 12),
        Arguments.of("class after class", (IntUnaryOperator) i -> i / 400),
        Arguments.of("of unequal sizes", (IntUnaryOperator) i -> Math.min(11, i % 48)),
        Arguments.of("mixed", (IntUnaryOperator) i -> Math.floorMod(i * 0x9E3779B9, 12)));
  }

  private static Map<Integer, Integer> counts(ImageSource source) {
    Map<Integer, Integer> counts = new TreeMap<>();
    IntStream.range(0, source.size()).forEach(i -> counts.merge(source.label(i), 1, Integer::sum));
    return counts;
  }

  @Test
  void aShareOfTheLabelsIsThatOfEachClassAndAtLeastOne() {
    // 300 of class 0, 95 of class 1, 5 of class 2.
    Labels source = new Labels(400, i -> i < 300 ? 0 : i < 395 ? 1 : 2);
    assertThat(counts(Sample.share(source, 0.1, 7))).isEqualTo(Map.of(0, 30, 1, 10, 2, 1));
    assertThat(counts(Sample.share(source, 0.01, 7))).isEqualTo(Map.of(0, 3, 1, 1, 2, 1));
    assertThat(Sample.share(source, 1, 7).size()).isEqualTo(400);
    assertThat(images(Sample.share(source, 0.1, 7)))
        .isEqualTo(images(Sample.share(source, 0.1, 7)));
    assertThat(images(Sample.share(source, 0.1, 7)))
        .isNotEqualTo(images(Sample.share(source, 0.1, 8)))
        .containsAll(images(Sample.share(source, 0.01, 7)));
    assertThatThrownBy(() -> Sample.share(source, 0, 7)).hasMessageContaining("share of 0.0");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("orders")
  void everyClassHasItsShareWhateverTheOrder(String order, IntUnaryOperator label) {
    Labels source = new Labels(4800, label);
    for (int size : new int[] {12, 100, 1000, 2400, 4799}) {
      Sample sample = Sample.labelled(source, size);
      assertThat(sample.size()).isEqualTo(size);
      Map<Integer, Integer> drawn = counts(sample);
      counts(source)
          .forEach(
              (c, n) ->
                  assertThat(drawn.getOrDefault(c, 0).doubleValue())
                      .as("class %d of %s in %d images", c, order, size)
                      .isCloseTo(n * size / 4800.0, within(1.0)));
      assertThat(new HashSet<>(images(sample))).as("none is drawn twice").hasSize(size);
    }
  }

  @Test
  void theSameSeedDrawsTheSameImagesAndAnotherSeedOthers() {
    Labels source = new Labels(1000, i -> i % 7);
    List<String> images = images(Sample.labelled(source, 300));
    assertThat(images(Sample.labelled(source, 300))).isEqualTo(images);
    assertThat(images(Sample.labelled(source, 300, 0))).isEqualTo(images);
    assertThat(images(Sample.labelled(source, 300, 1))).isNotEqualTo(images);
  }

  private static List<String> images(ImageSource sample) {
    return IntStream.range(0, sample.size()).mapToObj(sample::describe).toList();
  }

  @Test
  void unlabelledImagesAreSampledUniformlyOrLeftOut() {
    Labels none = new Labels(10_000, i -> -1);
    assertThat(Sample.labelled(none, 5).size()).isZero();
    Sample sample = Sample.of(none, 1000);
    double firstHalf =
        images(sample).stream().filter(d -> Integer.parseInt(d.substring(6)) < 5000).count();
    assertThat(firstHalf).as("6 standard deviations").isCloseTo(500, within(95.0));
    Labels some = new Labels(90, i -> i % 3 - 1);
    assertThat(counts(Sample.labelled(some, 1000))).isEqualTo(Map.of(0, 30, 1, 30));
    assertThat(counts(Sample.of(some, 30))).isEqualTo(Map.of(-1, 10, 0, 10, 1, 10));
  }

  @Test
  void quotasAddUpAndDifferFromTheExactShareByLessThanOne() {
    assertThat(Sample.quotas(new int[] {5, 3, 2}, 5))
        .isIn(new int[] {3, 1, 1}, new int[] {2, 2, 1});
    int[] sizes = {1, 1000, 333, 17, 2_000_000_000};
    int[] quotas = Sample.quotas(sizes, 1_999_999_999);
    double total = Arrays.stream(sizes).asLongStream().sum();
    assertThat(Arrays.stream(quotas).asLongStream().sum()).isEqualTo(1_999_999_999);
    for (int i = 0; i < sizes.length; i++) {
      assertThat((double) quotas[i])
          .isCloseTo(1_999_999_999.0 * sizes[i] / total, within(1.0))
          .isLessThanOrEqualTo(sizes[i]);
    }
  }
}
