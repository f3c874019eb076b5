package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class ShapesSourceTest {

  @Test
  void imagesAreAFunctionOfSeedPartAndIndex() throws Exception {
    DataSets sets = ShapesSource.open(30, 32, 7);
    DataSets again = ShapesSource.open(5000, 32, 7);
    for (int i = 29; i >= 0; i--) { // another order than the other instance's
      assertThat(pixels(again.train(), i)).isEqualTo(pixels(sets.train(), i));
    }
    assertThat(pixels(ShapesSource.open(30, 32, 8).train(), 0))
        .isNotEqualTo(pixels(sets.train(), 0));
  }

  /** Results that name this data set stay comparable only while its images stay the same. */
  @Test
  void theDefaultDataSetIsTheOneItAlwaysWas() throws Exception {
    CRC32 crc = new CRC32();
    ImageSource train = ShapesSource.open(24).train();
    for (int i = 0; i < 24; i++) {
      crc.update(pixels(train, i));
    }
    assertThat(crc.getValue()).isEqualTo(3179713735L);
  }

  @Test
  void noImageOccursTwiceInEitherPart() throws Exception {
    DataSets sets = ShapesSource.open(600, 16, 1);
    Set<String> seen = new HashSet<>();
    for (ImageSource part : new ImageSource[] {sets.train(), sets.test()}) {
      for (int i = 0; i < part.size(); i++) {
        assertThat(seen.add(Arrays.toString(pixels(part, i)))).isTrue();
      }
    }
    assertThat(seen).hasSize(600 + 120);
  }

  @Test
  void classesAreBalancedAndNamed() {
    ImageSource test = ShapesSource.open(1200).test();
    assertThat(test.size()).isEqualTo(240);
    assertThat(test.classes()).hasSize(12).doesNotHaveDuplicates();
    int[] counts = new int[12];
    IntStream.range(0, 240).forEach(i -> counts[test.label(i)]++);
    assertThat(counts).containsOnly(20);
    assertThat(test.describe(3)).isEqualTo("image 3 of shapes (test)");
    assertThatThrownBy(() -> test.label(240)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void anySideGivesTheSameScene() throws Exception {
    double[] small = means(ShapesSource.open(40, 24, 5).train());
    double[] large = means(ShapesSource.open(40, 96, 5).train());
    for (int i = 0; i < small.length; i++) {
      assertThat(large[i]).isCloseTo(small[i], within(4.0));
    }
  }

  /** Chance is 8.3 %: what an image is can't be had from its pixels, nor from its mean colour. */
  @Test
  void neighboursAmongRawPixelsSayLittleAboutTheClass() throws Exception {
    DataSets sets = ShapesSource.open(1800);
    double accuracy = nearestNeighbours(sets, 20);
    assertThat(accuracy).isLessThan(0.3);
  }

  @Test
  void sizesOutOfRangeAreRefused() {
    assertThatThrownBy(() -> ShapesSource.open(0)).hasMessageContaining("0 images of shapes");
    assertThatThrownBy(() -> ShapesSource.open(10, 8, 1)).hasMessageContaining("side of 8 pixels");
  }

  private static double nearestNeighbours(DataSets sets, int k) throws Exception {
    float[][] train = centredRows(sets.train());
    float[][] test = centredRows(sets.test());
    int[] right = new int[1];
    for (int t = 0; t < test.length; t++) {
      float[] query = test[t];
      double[] cosines = Arrays.stream(train).mapToDouble(row -> dot(row, query)).toArray();
      double[] votes = new double[sets.train().classes().size()];
      IntStream.range(0, train.length)
          .boxed()
          .sorted((a, b) -> Double.compare(cosines[b], cosines[a]))
          .limit(k)
          .forEach(i -> votes[sets.train().label(i)] += Math.exp(cosines[i] / 0.07));
      int best = 0;
      for (int c = 1; c < votes.length; c++) {
        best = votes[c] > votes[best] ? c : best;
      }
      right[0] += best == sets.test().label(t) ? 1 : 0;
    }
    return right[0] / (double) test.length;
  }

  /** Every other pixel of every other row, about grey, of length 1. */
  private static float[][] centredRows(ImageSource source) throws Exception {
    int half = ShapesSource.DEFAULT_SIDE / 2;
    float[][] rows = new float[source.size()][half * half * 3];
    for (int i = 0; i < rows.length; i++) {
      byte[] pixels = pixels(source, i);
      double norm = 0;
      for (int p = 0; p < rows[i].length; p++) {
        int pixel = p / 3 / half * 4 * half + p / 3 % half * 2;
        rows[i][p] = (pixels[pixel * 3 + p % 3] & 0xff) - 127.5f;
        norm += rows[i][p] * rows[i][p];
      }
      for (int p = 0; p < rows[i].length; p++) {
        rows[i][p] /= (float) Math.sqrt(norm);
      }
    }
    return rows;
  }

  private static float dot(float[] a, float[] b) {
    float sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[] means(ImageSource source) throws Exception {
    double[] means = new double[source.size()];
    for (int i = 0; i < means.length; i++) {
      byte[] pixels = pixels(source, i);
      for (byte value : pixels) {
        means[i] += (value & 0xff) / (double) pixels.length;
      }
    }
    return means;
  }

  private static byte[] pixels(ImageSource source, int index) throws UnreadableImageException {
    return source.read(index, Integer.MAX_VALUE).pixels();
  }
}
