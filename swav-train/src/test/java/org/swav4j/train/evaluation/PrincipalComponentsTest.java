package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class PrincipalComponentsTest {
  /** Two orthonormal directions in five dimensions, away from the origin. */
  private static final double[] U = {0.6, 0.8, 0, 0, 0};

  private static final double[] V = {0, 0, 0, 1, 0};

  @Test
  void rowsInAPlaneComeBackAsTheirPlacesInIt() {
    int n = 1500;
    Random random = new Random(5);
    double[][] places = new double[n][2];
    double[][] rows = new double[n][5];
    for (int i = 0; i < n; i++) {
      places[i][0] = 3 * random.nextGaussian();
      places[i][1] = random.nextGaussian();
      for (int d = 0; d < 5; d++) {
        rows[i][d] = 10 + places[i][0] * U[d] + places[i][1] * V[d];
      }
    }
    PrincipalComponents found = PrincipalComponents.of(Nd4j.create(rows), 3);
    INDArray c = found.coordinates();
    // Turning and mirroring aside: distances are kept, and nothing is left for a third direction.
    for (int i = 1; i < n; i += 97) {
      double expected = Math.hypot(places[i][0] - places[0][0], places[i][1] - places[0][1]);
      assertThat(c.getRow(i).distance2(c.getRow(0))).isCloseTo(expected, within(1e-6));
    }
    assertThat(found.shares()[0] + found.shares()[1]).isCloseTo(1, within(1e-9));
    assertThat(found.shares()[0]).isBetween(0.85, 0.95);
    assertThat(found.shares()[2]).isZero();
    for (int k = 0; k < 2; k++) {
      INDArray column = c.getColumn(k);
      assertThat(column.maxNumber().doubleValue()).isEqualTo(column.amaxNumber().doubleValue());
    }
    assertThat(c.getColumn(0).stdNumber().doubleValue()).isCloseTo(3, within(0.3));
  }

  @Test
  void equalRowsLieOnOnePoint() {
    PrincipalComponents found = PrincipalComponents.of(Nd4j.ones(DataType.FLOAT, 4, 3), 2);
    assertThat(found.coordinates().toDoubleMatrix()).isDeepEqualTo(new double[4][2]);
    assertThat(found.shares()).containsExactly(0, 0);
  }
}
