package org.swav4j.train.method;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.host.HostTensor;

/** What is predicted: codes as they are solved, rounded, or without balancing. */
public enum CodeKind {
  /** As they are solved; the published recipes. */
  SOFT,
  /**
   * Each sample's largest code becomes 1 and its others 0, the first where several are largest
   * (SwAV, arXiv 2006.09882, section 3.1). Trains faster at first and ends worse.
   */
  HARD,
  /**
   * {@code softmax(scores / epsilon)} of each image by itself, without Sinkhorn-Knopp: the network
   * may give all images the same code, and does. For comparison; queue and iterations change
   * nothing.
   */
  UNBALANCED;

  /**
   * Whether codes are spread over the prototypes, so that an image's code depends on the others of
   * its batch and on the queue.
   */
  public boolean balanced() {
    return this != UNBALANCED;
  }

  /**
   * Computes the codes of the last B of N samples. Allocates nothing after the first call for the
   * same arrays.
   *
   * @param scores {@code [N, K]}
   * @param codes {@code [B, K]}, row-major: overwritten
   * @param tensor what the codes are, or get, bound to
   * @throws IllegalArgumentException if a score is not finite or a shape does not fit
   */
  void assign(SwavCodes solver, INDArray scores, INDArray codes, HostTensor tensor) {
    if (this == UNBALANCED) {
      solver.assignUnbalanced(scores, codes);
      return;
    }
    solver.assign(scores, codes);
    if (this == HARD) {
      harden(codes, tensor);
    }
  }

  private static void harden(INDArray codes, HostTensor tensor) {
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
