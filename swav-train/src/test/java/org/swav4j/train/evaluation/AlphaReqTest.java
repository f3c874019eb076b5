package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class AlphaReqTest {
  /** Orthogonal columns of mean 0 (Walsh's functions) whose squares fall as a power of i. */
  private static INDArray powerLaw(double alpha) {
    INDArray z = Nd4j.create(DataType.FLOAT, 64, 32);
    for (int n = 0; n < 64; n++) {
      for (int i = 1; i <= 32; i++) {
        int sign = Integer.bitCount(n & i) % 2 == 0 ? 1 : -1;
        z.putScalar(n, (i * 7) % 32, sign * Math.pow(i, -alpha / 2));
      }
    }
    return z;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1, 2})
  void theExponentOfAnExactPowerLawIsFoundWhateverTheMean(double alpha) {
    INDArray z = powerLaw(alpha);
    assertThat(AlphaReq.of(z)).isCloseTo(alpha, within(1e-4));
    assertThat(AlphaReq.of(z.mul(5).addi(3))).isCloseTo(alpha, within(1e-4));
  }

  @Test
  void featuresThatVaryInTwoDirectionsHaveNoExponent() {
    INDArray z =
        powerLaw(1).mmul(Nd4j.rand(DataType.FLOAT, 32, 2)).mmul(Nd4j.rand(DataType.FLOAT, 2, 9));
    assertThatThrownBy(() -> AlphaReq.of(z)).hasMessageContaining("2 directions");
    assertThatThrownBy(() -> AlphaReq.of(Nd4j.ones(DataType.FLOAT, 9, 4)))
        .hasMessageContaining("0 directions");
  }
}
