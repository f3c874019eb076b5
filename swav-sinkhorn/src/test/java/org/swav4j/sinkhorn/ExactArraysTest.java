package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ExactArraysTest {
  @Test
  void arraysOneBitApartAreNotEqual() {
    for (float[] numbers : new float[][] {{1}, {1, 1e-9f, 3}, {0, Float.MIN_NORMAL}}) {
      INDArray array = Nd4j.createFromArray(numbers);
      assertThat(array.dup()).isEqualTo(array);
      int last = numbers.length - 1;
      numbers[last] = Math.nextUp(numbers[last]);
      assertThat(Nd4j.createFromArray(numbers)).as("%s", array).isNotEqualTo(array);
    }
    INDArray matrix = Nd4j.rand(4, 5);
    assertThat(matrix.transpose()).isEqualTo(matrix.transpose().dup('c'));
    INDArray other = matrix.dup('f');
    assertThat(other).isEqualTo(matrix);
    other.putScalar(3, 2, Math.nextUp(other.getFloat(3, 2)));
    assertThat(other).isNotEqualTo(matrix);
  }
}
