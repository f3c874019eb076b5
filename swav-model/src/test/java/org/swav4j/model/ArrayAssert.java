package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Assertions;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Comparisons of arrays; INDArray's own equals forgives 1e-5. */
final class ArrayAssert {
  private ArrayAssert() {}

  /** Same type, shape and bits. */
  static void assertExact(String what, INDArray actual, INDArray expected) {
    assertThat(actual.dataType()).as(what).isEqualTo(expected.dataType());
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    Assertions.assertArrayEquals(values(expected), values(actual), what);
  }

  /** Largest absolute difference of two arrays of one shape. */
  static double difference(INDArray a, INDArray b) {
    assertThat(a.shape()).isEqualTo(b.shape());
    double[] x = values(a);
    double[] y = values(b);
    double largest = 0;
    for (int i = 0; i < x.length; i++) {
      double d = Math.abs(x[i] - y[i]);
      if (!(d <= largest)) {
        largest = Double.isNaN(d) ? Double.POSITIVE_INFINITY : d;
      }
    }
    return largest;
  }

  private static double[] values(INDArray a) {
    return a.dup('c').data().asDouble();
  }
}
