package org.swav4j.train.diagnostics;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.host.HostTensor;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * Collects the numbers of an epoch from some of its steps: {@link #inspect} reads A·B·K scores and
 * codes (a logarithm each), so a loop calls it every tenth step or so.
 *
 * <p>Allocates nothing per step after the first. Not thread-safe.
 */
public final class TrainingDiagnostics {
  private static final double SAME = 0.9999;
  private static final int BLOCK = 1024;

  private final int heads;
  private final int k;
  private final int dim;
  private final int[] best;
  private final double[] sum;
  private final double[] squares;
  private final HostTensor scores = new HostTensor();
  private final HostTensor codes = new HostTensor();
  private final HostTensor embeddings = new HostTensor();
  private final PrototypeNormaliser normaliser = new PrototypeNormaliser();
  private double entropy;
  private double divergence;
  private long inspected;
  private long rows;

  /**
   * For a network with {@code prototypes} = K and embeddings of width {@code dim} = D.
   *
   * @throws IllegalArgumentException if either is below 1
   */
  public TrainingDiagnostics(int prototypes, int dim) {
    this(1, prototypes, dim);
  }

  /**
   * For a network with H {@code heads} of {@code prototypes} = K each and embeddings of width
   * {@code dim} = D. Its numbers are means over heads; scores and codes have H·K columns, head by
   * head.
   *
   * @throws IllegalArgumentException if one is below 1
   */
  public TrainingDiagnostics(int heads, int prototypes, int dim) {
    if (heads < 1 || prototypes < 1 || dim < 1) {
      throw new IllegalArgumentException(
          heads + " x " + prototypes + " prototypes of dimension " + dim + ": all at least 1");
    }
    this.heads = heads;
    this.k = prototypes;
    this.dim = dim;
    best = new int[heads * prototypes];
    sum = new double[dim];
    squares = new double[dim];
  }

  /**
   * Looks into a step.
   *
   * @param loss of this step, in nats
   * @param allScores {@code [V·B, K]}; the first A·B rows are those of the assigning crops
   * @param stepCodes {@code [A·B, K]}
   * @param allEmbeddings {@code [V·B, D]}, unit rows, in the order of the scores
   * @throws IllegalArgumentException if a shape does not fit
   */
  public void inspect(double loss, INDArray allScores, INDArray stepCodes, INDArray allEmbeddings) {
    long assigning = stepCodes.size(0);
    int all = heads * k;
    require("codes", stepCodes, assigning, all);
    require("scores", allScores, assigning, all);
    require("embeddings", allEmbeddings, assigning, dim);
    double stepEntropy =
        entropy(codes.read(stepCodes), (int) assigning * all) / (assigning * heads);
    entropy += stepEntropy;
    divergence += loss - stepEntropy;
    inspected++;
    rows += assigning;
    FloatBuffer s = scores.read(allScores);
    FloatBuffer z = embeddings.read(allEmbeddings);
    for (int row = 0; row < assigning; row++) {
      for (int first = 0; first < all; first += k) {
        best[first + largest(s, row * all + first, k)]++;
      }
      add(z, row * dim);
    }
  }

  private static void require(String what, INDArray array, long atLeast, int columns) {
    if (array.rank() != 2 || array.size(0) < atLeast || array.size(1) != columns) {
      throw new IllegalArgumentException(
          what
              + " "
              + Arrays.toString(array.shape())
              + ", expected at least "
              + atLeast
              + " rows of "
              + columns);
    }
  }

  private static double entropy(FloatBuffer q, int count) {
    double total = 0;
    for (int i = 0; i < count; i++) {
      float p = q.get(i);
      // Smaller ones add less than 1e-10 each; most codes are that small.
      if (p > 1e-12f) {
        total -= p * Math.log(p);
      }
    }
    return total;
  }

  private static int largest(FloatBuffer s, int start, int count) {
    int winner = 0;
    float top = s.get(start);
    for (int j = 1; j < count; j++) {
      float value = s.get(start + j);
      if (value > top) {
        top = value;
        winner = j;
      }
    }
    return winner;
  }

  private void add(FloatBuffer z, int start) {
    for (int d = 0; d < dim; d++) {
      double value = z.get(start + d);
      sum[d] += value;
      squares[d] += value * value;
    }
  }

  /**
   * The epoch's numbers; what follows belongs to the next epoch. Where nothing was inspected, all
   * but the distinct prototypes are NaN.
   *
   * @param prototypes {@code [K, D]} as they are now, rows of any length; left as they are
   */
  public EpochDiagnostics finishEpoch(INDArray prototypes) {
    require("prototypes", prototypes, best.length, dim);
    int seen = 0;
    int most = 0;
    for (int count : best) {
      seen += count > 0 ? 1 : 0;
      most = Math.max(most, count);
    }
    double deviation = 0;
    for (int d = 0; d < dim; d++) {
      double mean = sum[d] / rows;
      deviation += Math.sqrt(Math.max(0, squares[d] / rows - mean * mean));
    }
    EpochDiagnostics epoch =
        new EpochDiagnostics(
            entropy / inspected,
            divergence / inspected,
            (double) seen / (heads * Math.min(k, rows)),
            (double) most / rows,
            deviation / dim * Math.sqrt(dim),
            (double) distinct(prototypes) / best.length);
    entropy = 0;
    divergence = 0;
    inspected = 0;
    rows = 0;
    Arrays.fill(best, 0);
    Arrays.fill(sum, 0);
    Arrays.fill(squares, 0);
    return epoch;
  }

  private int distinct(INDArray prototypes) {
    try (INDArray unit = prototypes.dup('c')) {
      normaliser.normalise(unit);
      return distinctRows(unit);
    }
  }

  /** Unit rows that no earlier one equals; block by block, so that K² numbers never exist. */
  private static int distinctRows(INDArray unit) {
    int count = (int) unit.size(0);
    boolean[] copy = new boolean[count];
    for (int i = 0; i < count; i += BLOCK) {
      INDArray left = unit.get(NDArrayIndex.interval(i, Math.min(count, i + BLOCK)));
      for (int j = i; j < count; j += BLOCK) {
        INDArray right = unit.get(NDArrayIndex.interval(j, Math.min(count, j + BLOCK)));
        try (INDArray cosines = Nd4j.matmul(left, right, false, true, false).dup('c')) {
          FloatBuffer c = new HostTensor().read(cosines);
          int columns = (int) right.size(0);
          for (int a = 0; a < left.size(0); a++) {
            for (int b = i == j ? a + 1 : 0; b < columns && !copy[i + a]; b++) {
              copy[j + b] |= c.get(a * columns + b) > SAME;
            }
          }
        }
      }
    }
    int distinct = 0;
    for (boolean c : copy) {
      distinct += c ? 0 : 1;
    }
    return distinct;
  }
}
