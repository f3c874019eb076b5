package org.swav4j.train.optimiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class PrototypeNormaliserTest {
  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void rowsGetLengthOneAndKeepTheirDirectionZeroRowsStayZero(DataType type) {
    INDArray c = Nd4j.rand(type, 30, 7).subi(0.5).muli(9);
    c.getRow(4).assign(0);
    INDArray before = c.dup();
    INDArray columnMajor = c.dup('f');
    new PrototypeNormaliser().normalise(c);
    new PrototypeNormaliser().normalise(columnMajor);
    for (int k = 0; k < 30; k++) {
      double norm = before.getRow(k).norm2Number().doubleValue();
      assertThat(c.getRow(k).norm2Number().doubleValue()).isCloseTo(k == 4 ? 0 : 1, within(1e-6));
      assertThat(c.getRow(k).mul(norm).equalsWithEps(before.getRow(k), 1e-5)).isTrue();
    }
    assertThat(columnMajor.equalsWithEps(c, 1e-6)).isTrue();
    assertThatThrownBy(() -> new PrototypeNormaliser().normalise(Nd4j.ones(type, 3)))
        .hasMessageContaining("rank 1");
  }
}
