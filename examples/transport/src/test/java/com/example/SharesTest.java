package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SharesTest {
  @Test
  void allWorkIsDoneInTheTimeThereIsAndGoesToWhoItSuits() {
    INDArray suitability = Nd4j.createFromArray(new double[][] {{1, 0}, {0, 1}, {0.5, 0.5}});
    INDArray work = Nd4j.createFromArray(0.5, 0.25, 0.25);
    INDArray time = Nd4j.createFromArray(0.6, 0.4);
    INDArray shares = Shares.of(suitability, work, time, 0.05);
    for (int i = 0; i < 3; i++) {
      assertEquals(work.getDouble(i), shares.getRow(i).sumNumber().doubleValue(), 1e-6);
    }
    for (int j = 0; j < 2; j++) {
      assertEquals(time.getDouble(j), shares.getColumn(j).sumNumber().doubleValue(), 1e-6);
    }
    assertTrue(shares.getDouble(0, 0) > 0.49, "the first group goes to the first worker");
    assertTrue(shares.getDouble(1, 1) > 0.24, "the second group goes to the second worker");
  }

  /** Transport needs ND4J and nothing else. */
  @Test
  void neitherDataVecNorDeeplearning4jIsOnTheClassPath() {
    assertThrows(
        ClassNotFoundException.class, () -> Class.forName("org.datavec.image.data.ImageWritable"));
    assertThrows(
        ClassNotFoundException.class,
        () -> Class.forName("org.deeplearning4j.nn.graph.ComputationGraph"));
  }
}
