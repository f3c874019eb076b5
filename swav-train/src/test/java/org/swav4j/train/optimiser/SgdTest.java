package org.swav4j.train.optimiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SgdTest {
  @Test
  void threeStepsEqualTheFormulaByHand() {
    double w = 2;
    double m = 0;
    INDArray array = Nd4j.createFromArray(2.0);
    Sgd sgd = new Sgd(0.9, 0.01);
    for (double g : new double[] {0.5, -0.25, 1}) {
      sgd.step(Map.of("w", array), Map.of("w", Nd4j.createFromArray(g)), 0.1);
      m = 0.9 * m + g + 0.01 * w;
      w -= 0.1 * m;
    }
    assertThat(array.getDouble(0)).isEqualTo(w);
    assertThat(sgd.state().get("w").getDouble(0)).isEqualTo(m);
  }

  @Test
  void anAbsentGradientFreezesAndLeavesTheMomentumEmpty() {
    INDArray w = Nd4j.ones(DataType.FLOAT, 3);
    Sgd sgd = new Sgd(0.9, 0.1);
    sgd.step(Map.of("w", w), Map.of(), 1);
    assertThat(w).isEqualTo(Nd4j.ones(DataType.FLOAT, 3));
    assertThat(sgd.state()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void aGradientThatIsNotFiniteIsRefusedAndLeavesTheWeights(float bad) {
    INDArray w = Nd4j.ones(DataType.FLOAT, 3);
    Map<String, INDArray> gradient = Map.of("conv1.weight", Nd4j.createFromArray(1f, bad, 2f));
    assertThatThrownBy(() -> new Sgd(0.9, 0.1).step(Map.of("conv1.weight", w), gradient, 1))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("gradient of conv1.weight");
    assertThat(w).isEqualTo(Nd4j.ones(DataType.FLOAT, 3));
  }
}
