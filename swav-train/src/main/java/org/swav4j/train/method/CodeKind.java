package org.swav4j.train.method;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.train.host.HostTensor;

/** What is predicted: codes as they are solved, or rounded. */
public enum CodeKind {
  /** As they are solved; the published recipes. */
  SOFT,
  /**
   * Each sample's largest code becomes 1 and its others 0, the first where several are largest
   * (SwAV, arXiv 2006.09882, section 3.1). Trains faster at first and ends worse.
   */
  HARD;

  /**
   * Makes codes that were solved those of this kind, in place. Allocates nothing if the tensor was
   * bound to them before.
   *
   * @param codes {@code [B, K]}, row-major
   * @param tensor what the codes are, or get, bound to
   */
  void apply(INDArray codes, HostTensor tensor) {
    if (this == SOFT) {
      return;
    }
    int rows = codes.rows();
    int columns = codes.columns();
    if (!HostTensor.supports(codes) || codes.ordering() != 'c') {
      INDArray best = codes.argMax(1);
      codes.assign(0);
      for (int row = 0; row < rows; row++) {
        codes.putScalar(row, best.getLong(row), 1);
      }
      return;
    }
    tensor.bind(codes);
    for (int row = 0; row < rows; row++) {
      int start = row * columns;
      int best = 0;
      for (int k = 1; k < columns; k++) {
        if (get(tensor, start + k) > get(tensor, start + best)) {
          best = k;
        }
      }
      for (int k = 0; k < columns; k++) {
        put(tensor, start + k, k == best ? 1 : 0);
      }
    }
  }

  private static double get(HostTensor tensor, int at) {
    return tensor.isFloat() ? tensor.floats().get(at) : tensor.doubles().get(at);
  }

  private static void put(HostTensor tensor, int at, int value) {
    if (tensor.isFloat()) {
      tensor.floats().put(at, value);
    } else {
      tensor.doubles().put(at, value);
    }
  }
}
