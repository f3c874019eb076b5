package org.swav4j.train.bench;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.sinkhorn.Form;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/** The codes alone: scores of random unit vectors of length 128, epsilon 0.05, 3 iterations. */
public final class CodesBench {
  private static final int DIM = 128;

  /**
   * A just-in-time compiler wants thousands of short runs, or seconds of long ones; beside busy
   * threads on few cores it can take two seconds over the first size.
   */
  private static final double LEAST_WARMUP_MS = 3000;

  private CodesBench() {}

  /**
   * Times the codes of one batch.
   *
   * @param batch B, at least 1
   * @param prototypes K, at least 1
   * @param form of the iterations
   * @param warmup runs that don't count; more are made until three seconds have gone by
   * @param repeats runs that count
   * @throws IllegalArgumentException if a number is out of range
   */
  public static Times run(
      int batch, int prototypes, Form form, int threads, int warmup, int repeats) {
    if (batch < 1 || prototypes < 1) {
      throw new IllegalArgumentException(
          batch + "x" + prototypes + " scores, expected at least 1x1: samples x prototypes");
    }
    Times.checkRuns(warmup, repeats);
    SwavCodes solver = new SwavCodes(0.05, 3).withForm(form).withThreads(threads);
    try (INDArray z = unit(batch);
        INDArray c = unit(prototypes);
        INDArray scores = Nd4j.create(DataType.FLOAT, batch, prototypes);
        INDArray codes = Nd4j.create(DataType.FLOAT, batch, prototypes)) {
      Nd4j.gemm(z, c, scores, false, true, 1, 0);
      double spent = 0;
      while (spent < LEAST_WARMUP_MS) {
        spent += Times.once(() -> solver.assign(scores, codes));
      }
      return Times.of(warmup, repeats, () -> solver.assign(scores, codes));
    }
  }

  private static INDArray unit(int rows) {
    INDArray x = Nd4j.randn(DataType.FLOAT, rows, DIM);
    new PrototypeNormaliser().normalise(x);
    return x;
  }
}
