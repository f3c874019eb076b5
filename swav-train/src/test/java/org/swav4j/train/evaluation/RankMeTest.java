package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class RankMeTest {
  /** NumPy 2.4: singular values by numpy.linalg.svd of the same floats in double. */
  @Test
  void equalsTheFigureFromNumPysSingularValues() {
    float[][] z = new float[7][5];
    for (int n = 0; n < 7; n++) {
      for (int f = 0; f < 5; f++) {
        z[n][f] = (float) (Math.sin(3 * n + 2 * f) + 0.1 * n * f);
      }
    }
    INDArray features = Nd4j.createFromArray(z);
    assertThat(RankMe.of(features)).isCloseTo(2.5426754016254574, within(1e-6));
    assertThat(RankMe.of(features.transpose())).isCloseTo(2.5426754016254565, within(1e-6));
  }

  @Test
  void orthogonalDirectionsOfEqualLengthCountInFullAndALineCountsAsOne() {
    INDArray rows = Nd4j.zeros(DataType.FLOAT, 6000, 8);
    for (int n = 0; n < 6000; n++) {
      rows.putScalar(n, n % 8, n % 16 < 8 ? 3 : -3);
    }
    assertThat(RankMe.of(rows)).isCloseTo(8, within(1e-4));
    INDArray line = Nd4j.ones(DataType.FLOAT, 50, 1).mmul(Nd4j.ones(DataType.FLOAT, 1, 8));
    assertThat(RankMe.of(line)).isCloseTo(1, within(1e-4));
  }

  @Test
  void refusesFeaturesThatHaveNoRank() {
    assertThatThrownBy(() -> RankMe.of(Nd4j.zeros(DataType.FLOAT, 5, 3)))
        .hasMessageContaining("sum to 0.0");
    INDArray broken = Nd4j.ones(DataType.FLOAT, 5, 3);
    broken.putScalar(1, 1, Float.NaN);
    assertThatThrownBy(() -> RankMe.of(broken)).hasMessageContaining("NaN");
  }
}
