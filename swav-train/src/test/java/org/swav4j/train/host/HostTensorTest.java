package org.swav4j.train.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class HostTensorTest {
  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void anArrayReadAgainTakesNoNewMemoryAndShowsItsPresentNumbers(DataType type) {
    INDArray array = Nd4j.createFromArray(new double[][] {{1, 2, 3}, {4, 5, 6}}).castTo(type);
    HostTensor tensor = new HostTensor();
    FloatBuffer first = tensor.read(array);
    array.putScalar(1, 2, 7);
    assertThat(tensor.read(array)).isSameAs(first).isEqualTo(numbers(1, 2, 3, 4, 5, 7));
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void columnMajorArraysAreReadInRowMajorOrderThoughBoundBefore(DataType type) {
    INDArray array =
        Nd4j.createFromArray(new double[][] {{1, 2, 3}, {4, 5, 6}}).castTo(type).dup('f');
    HostTensor tensor = new HostTensor().bind(array);
    assertThat(tensor.read(array)).isEqualTo(numbers(1, 2, 3, 4, 5, 6));
  }

  private static FloatBuffer numbers(float... values) {
    return FloatBuffer.wrap(values);
  }
}
