package org.swav4j.train.answers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.train.evaluation.UnitRows;

class NearDuplicatesTest {
  private static List<List<Integer>> rows(List<NearDuplicates.Group> groups) {
    return groups.stream()
        .map(g -> g.members().stream().map(NearDuplicates.Member::row).toList())
        .toList();
  }

  private static INDArray circle(double... degrees) {
    float[][] rows = new float[degrees.length][];
    for (int i = 0; i < rows.length; i++) {
      double angle = Math.toRadians(degrees[i]);
      rows[i] = new float[] {(float) Math.cos(angle), (float) Math.sin(angle)};
    }
    return Nd4j.createFromArray(rows);
  }

  @Test
  void membersAreNearTheFirstAndGroupsDoNotGrowAlongChains() {
    double twenty = Math.cos(Math.toRadians(20));
    List<NearDuplicates.Group> groups =
        NearDuplicates.groups(circle(0, 15, 30, 200, 45, 190), twenty);

    assertThat(rows(groups)).containsExactly(List.of(0, 1), List.of(2, 4), List.of(3, 5));
    assertThat(groups.get(2).members().get(0).similarity()).isEqualTo(1);
    assertThat((double) groups.get(2).members().get(1).similarity())
        .isCloseTo(Math.cos(Math.toRadians(10)), org.assertj.core.api.Assertions.within(1e-6));
  }

  /** More rows than a block has firsts and others, in clumps of which some lie in other blocks. */
  @ParameterizedTest
  @ValueSource(doubles = {0.6, 0.9, 0.999})
  void blocksFindWhatOneRowAfterTheOtherFinds(double threshold) {
    Random random = new Random(5);
    int n = 9000;
    int dim = 6;
    float[][] data = new float[n][dim];
    for (int row = 0; row < n; row++) {
      for (int d = 0; d < dim; d++) {
        float near = row > 300 && row % 3 == 0 ? data[row - 300][d] : 0;
        data[row][d] = near + (near == 0 ? 1 : 0.05f) * (float) random.nextGaussian();
      }
    }
    INDArray unit = UnitRows.copyOf(Nd4j.createFromArray(data));
    float[][] rows = unit.toFloatMatrix();

    Map<Integer, List<Integer>> expected = new LinkedHashMap<>();
    boolean[] taken = new boolean[n];
    for (int i = 0; i < n; i++) {
      if (!taken[i]) {
        List<Integer> group = new ArrayList<>(List.of(i));
        for (int j = i + 1; j < n; j++) {
          double cosine = 0;
          for (int d = 0; d < dim; d++) {
            cosine += (double) rows[i][d] * rows[j][d];
          }
          // Pairs at the very threshold would be a matter of rounding; the seed gives none.
          assertThat(Math.abs(cosine - threshold + 1e-5)).isGreaterThan(1e-9);
          if (!taken[j] && cosine >= threshold - 1e-5) {
            taken[j] = true;
            group.add(j);
          }
        }
        expected.put(i, group);
      }
    }
    expected.values().removeIf(group -> group.size() == 1);

    assertThat(rows(NearDuplicates.groups(unit, threshold)))
        .containsExactlyElementsOf(expected.values());
  }

  @Test
  void aThresholdOfOneFindsEqualRowsAndAloneOnes() {
    Random random = new Random(3);
    float[][] data = new float[40][300];
    for (int row = 0; row < 40; row++) {
      for (int d = 0; d < 300; d++) {
        data[row][d] = row >= 20 && row < 30 ? data[row - 20][d] : (float) random.nextGaussian();
      }
    }
    List<NearDuplicates.Group> groups =
        NearDuplicates.groups(UnitRows.copyOf(Nd4j.createFromArray(data)), 1);
    assertThat(groups).hasSize(10);
    for (int i = 0; i < 10; i++) {
      assertThat(rows(groups).get(i)).containsExactly(i, 20 + i);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, 1.01, Double.NaN})
  void aThresholdThatIsNoCosineIsRefused(double threshold) {
    assertThatThrownBy(() -> NearDuplicates.groups(circle(0, 1), threshold))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("threshold is " + threshold);
  }
}
