package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClusterAgreementTest {
  private static void assertFigures(
      ClusterAgreement actual, double nmi, double ari, double purity, double accuracy) {
    assertThat(actual.nmi()).isCloseTo(nmi, within(1e-12));
    assertThat(actual.ari()).isCloseTo(ari, within(1e-12));
    assertThat(actual.purity()).isCloseTo(purity, within(1e-12));
    assertThat(actual.accuracy()).isCloseTo(accuracy, within(1e-12));
  }

  /**
   * NMI and purity by NumPy 2.4 from the table of shared counts, ARI by NumPy over all pairs of
   * images, accuracy by SciPy 1.17's linear_sum_assignment. The first is scikit-learn's example of
   * adjusted_rand_score, 0.57 in its documentation.
   */
  @Test
  void equalsFiguresOfNumPyAndSciPy() {
    assertFigures(
        ClusterAgreement.of(new int[] {0, 0, 1, 2}, new int[] {0, 0, 1, 1}),
        0.8,
        0.5714285714285715,
        1,
        0.75);
    assertFigures(
        ClusterAgreement.of(
            new int[] {1, 1, 0, 0, 2, 2, 2, 0, 3, 3}, new int[] {0, 0, 1, 1, 2, 2, 1, 1, 0, 2}),
        0.6185727866539658,
        0.3644067796610169,
        0.8,
        0.7);
    int[] image = IntStream.range(0, 60).toArray();
    int[] fives = Arrays.stream(image).map(i -> i % 5).toArray();
    assertFigures(
        ClusterAgreement.of(Arrays.stream(image).map(i -> i * 7 % 11).toArray(), fives),
        0.012172187444797741,
        -0.09728183118741059,
        0.26666666666666666,
        0.16666666666666666);
    assertFigures(
        ClusterAgreement.of(
            Arrays.stream(image).map(i -> i / 6 + (i % 5 == 0 ? 1 : 0)).toArray(),
            Arrays.stream(image).map(i -> i / 12).toArray()),
        0.7114594959415764,
        0.45129479676100376,
        0.9166666666666666,
        0.5);
  }

  @Test
  void equalPartitionsUnderOtherNamesAgreeFully() {
    int[] labels = {0, 3, 3, 1, 0, 2, 1};
    int[] clusters = Arrays.stream(labels).map(c -> 2900 - 700 * c).toArray();
    ClusterAgreement agreement = ClusterAgreement.of(clusters, labels);
    assertFigures(agreement, 1, 1, 1, 1);
    assertThat(agreement.clusters()).isEqualTo(4);
  }

  @Test
  void oneClusterForAllTellsNothing() {
    assertFigures(
        ClusterAgreement.of(new int[6], new int[] {0, 0, 1, 1, 2, 2}), 0, 0, 1 / 3.0, 1 / 3.0);
  }

  @Test
  void theAssignmentIsTheBestOfAll() {
    Random random = new Random(4);
    for (int trial = 0; trial < 300; trial++) {
      int rows = 1 + random.nextInt(5);
      int columns = rows + random.nextInt(3);
      int[][] gain = new int[rows][columns];
      for (int[] row : gain) {
        Arrays.setAll(row, j -> random.nextInt(21) - 6);
      }
      assertThat(Assignment.largestSum(gain))
          .as(Arrays.deepToString(gain))
          .isEqualTo(best(gain, 0, new boolean[columns]));
    }
  }

  /** By trying every column for every row. */
  private static long best(int[][] gain, int row, boolean[] taken) {
    if (row == gain.length) {
      return 0;
    }
    long best = Long.MIN_VALUE;
    for (int column = 0; column < taken.length; column++) {
      if (!taken[column]) {
        taken[column] = true;
        best = Math.max(best, gain[row][column] + best(gain, row + 1, taken));
        taken[column] = false;
      }
    }
    return best;
  }

  @Test
  void refusesWhatIsNoClustering() {
    assertThatThrownBy(() -> ClusterAgreement.of(new int[2], new int[3]))
        .hasMessageContaining("2 clusters and 3 labels");
    assertThatThrownBy(() -> ClusterAgreement.of(new int[2], new int[] {0, -1}))
        .hasMessageContaining("label of image 1 is -1");
  }
}
