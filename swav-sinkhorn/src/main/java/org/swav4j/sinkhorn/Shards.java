package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A {@link Reduction} of arrays. Of a batch in one piece nothing leaves the back end. */
final class Shards {
  private Shards() {}

  static void sum(Reduction reduction, INDArray row) {
    if (reduction != Reduction.whole()) {
      double[] values = row.toDoubleVector();
      reduction.sum(values);
      row.assign(Nd4j.createFromArray(values).reshape(1, -1));
    }
  }

  static void max(Reduction reduction, INDArray row) {
    if (reduction != Reduction.whole()) {
      double[] values = row.toDoubleVector();
      reduction.max(values);
      row.assign(Nd4j.createFromArray(values).reshape(1, -1));
    }
  }
}
