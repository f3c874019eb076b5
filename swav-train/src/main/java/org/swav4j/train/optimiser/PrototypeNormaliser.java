package org.swav4j.train.optimiser;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.train.host.HostTensor;

/**
 * Puts prototypes back on the unit sphere: every row c becomes c / max(|c|, 1e-12), in place. Due
 * before each forward pass, outside the gradient, and after loading weights.
 *
 * <p>Allocates nothing after the first call on an array. Not thread-safe.
 */
public final class PrototypeNormaliser {
  private static final double SMALLEST = 1e-12;

  private final HostTensor host = new HostTensor();

  /**
   * Normalises the rows.
   *
   * @param prototypes {@code [K, D]}, float or double; changed in place
   * @throws IllegalArgumentException if it is not a matrix
   */
  public void normalise(INDArray prototypes) {
    if (prototypes.rank() != 2) {
      throw new IllegalArgumentException(
          "prototypes have rank " + prototypes.rank() + ", expected a matrix [K, D]");
    }
    int columns = prototypes.columns();
    boolean rowsTogether =
        (columns == 1 || prototypes.stride(1) == 1)
            && (prototypes.rows() == 1 || prototypes.stride(0) == columns);
    if (!rowsTogether || !HostTensor.supports(prototypes)) {
      INDArray norms = prototypes.mul(prototypes).sum(1);
      for (int k = 0; k < prototypes.rows(); k++) {
        prototypes.getRow(k).divi(Math.max(Math.sqrt(norms.getDouble(k)), SMALLEST));
      }
      return;
    }
    host.bind(prototypes);
    for (int start = 0; start < host.length(); start += columns) {
      if (host.isFloat()) {
        normalise(host.floats(), start, start + columns);
      } else {
        normalise(host.doubles(), start, start + columns);
      }
    }
  }

  private static void normalise(FloatBuffer x, int start, int end) {
    double squares = 0;
    for (int i = start; i < end; i++) {
      double v = x.get(i);
      squares += v * v;
    }
    float scale = (float) (1 / Math.max(Math.sqrt(squares), SMALLEST));
    for (int i = start; i < end; i++) {
      x.put(i, x.get(i) * scale);
    }
  }

  private static void normalise(DoubleBuffer x, int start, int end) {
    double squares = 0;
    for (int i = start; i < end; i++) {
      squares += x.get(i) * x.get(i);
    }
    double norm = Math.max(Math.sqrt(squares), SMALLEST);
    for (int i = start; i < end; i++) {
      x.put(i, x.get(i) / norm);
    }
  }
}
