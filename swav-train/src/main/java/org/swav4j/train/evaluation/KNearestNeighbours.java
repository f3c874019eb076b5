package org.swav4j.train.evaluation;

import java.nio.FloatBuffer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.host.HostTensor;

/**
 * Weighted k-nearest-neighbour classification by cosine similarity: each of the k nearest training
 * images votes for its class with weight exp(similarity / temperature) (Wu et al. 2018, <a
 * href="https://arxiv.org/abs/1805.01978">arXiv 1805.01978</a>, section 3.4). Needs no training, so
 * it is the quick judge of features.
 *
 * <p>Similarities are taken block by block, so memory stays small: a few MB beside a normalised
 * copy of the features. Exact: the same neighbours as with the whole N × M matrix. Thread-safe; one
 * call uses all cores.
 *
 * @param k neighbours that vote, at least 1; all training images if there are fewer
 * @param temperature above 0; 0.07 is usual
 */
public record KNearestNeighbours(int k, double temperature) {
  private static final int QUERY_BLOCK = 256;
  private static final int TRAIN_BLOCK = 4096;

  /** Checks the ranges; throws IllegalArgumentException with the offending value. */
  public KNearestNeighbours {
    if (k < 1) {
      throw new IllegalArgumentException("k = " + k + " neighbours: at least 1, 20 is usual");
    }
    if (!(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "k-NN temperature " + temperature + " is not above 0: 0.07 is usual");
    }
  }

  /** Temperature 0.07. */
  public KNearestNeighbours(int k) {
    this(k, 0.07);
  }

  /** 20 neighbours, temperature 0.07. */
  public KNearestNeighbours() {
    this(20);
  }

  /**
   * Share of test images whose predicted class is right, in [0, 1].
   *
   * @throws IllegalArgumentException if a set is empty or has unlabelled images, or the widths
   *     differ
   */
  public double accuracy(FeatureSet train, FeatureSet test) {
    test.requireLabels("test");
    int[] predicted = predict(train, test.features());
    int right = 0;
    for (int n = 0; n < predicted.length; n++) {
      right += predicted[n] == test.labels()[n] ? 1 : 0;
    }
    return (double) right / predicted.length;
  }

  /**
   * The class of each query; of classes with equal votes, the lowest.
   *
   * @param queries {@code [M, D]}, float
   * @throws IllegalArgumentException if the training set is empty or has unlabelled images, or the
   *     widths differ
   */
  public int[] predict(FeatureSet train, INDArray queries) {
    train.requireLabels("training");
    FeatureSet.requireSameWidth(train, queries);
    int n = train.size();
    int m = (int) queries.size(0);
    int[] predicted = new int[m];
    INDArray unitTrain = UnitRows.copyOf(train.features());
    int blockColumns = Math.min(n, TRAIN_BLOCK);
    INDArray memory =
        Nd4j.createUninitialized(DataType.FLOAT, Math.min(m, QUERY_BLOCK), blockColumns);
    for (int q = 0; q < m; q += QUERY_BLOCK) {
      int rows = Math.min(QUERY_BLOCK, m - q);
      INDArray block = UnitRows.copyOf(queries.get(NDArrayIndex.interval(q, q + rows)));
      Nearest[] nearest = new Nearest[rows];
      for (int row = 0; row < rows; row++) {
        nearest[row] = new Nearest(Math.min(k, n));
      }
      for (int t = 0; t < n; t += TRAIN_BLOCK) {
        int columns = Math.min(TRAIN_BLOCK, n - t);
        INDArray similarities =
            rows * (long) columns == memory.length()
                ? memory
                : memory
                    .reshape(memory.length())
                    .get(NDArrayIndex.interval(0, rows * (long) columns))
                    .reshape(rows, columns);
        Nd4j.matmul(
            block,
            unitTrain.get(NDArrayIndex.interval(t, t + columns)),
            similarities,
            false,
            true,
            false);
        FloatBuffer s = new HostTensor().read(similarities);
        int first = t;
        IntStream.range(0, rows)
            .parallel()
            .forEach(row -> nearest[row].offer(s, row * columns, columns, first));
      }
      block.close();
      for (int row = 0; row < rows; row++) {
        predicted[q + row] = nearest[row].vote(train.labels(), train.classes(), temperature);
      }
    }
    memory.close();
    unitTrain.close();
    return predicted;
  }

  /**
   * The most similar rows of those offered, of equal ones the first. Similarity and index are
   * packed into one long whose order is that of preference.
   */
  private static final class Nearest {
    private final LargestLongs packed;

    Nearest(int k) {
      packed = new LargestLongs(k);
    }

    void offer(FloatBuffer s, int start, int count, int firstIndex) {
      int j = 0;
      for (; !packed.full() && j < count; j++) {
        packed.offer(pack(s.get(start + j), firstIndex + j));
      }
      float worst = similarity(packed.least());
      for (; j < count; j++) {
        float value = s.get(start + j);
        if (value > worst) {
          packed.offer(pack(value, firstIndex + j));
          worst = similarity(packed.least());
        }
      }
    }

    private static long pack(float similarity, int index) {
      int bits = Float.floatToIntBits(similarity + 0f); // -0 becomes 0
      // Negative floats count down as their bits count up: their 31 lower bits are flipped.
      return (long) (bits ^ (bits >> 31 & Integer.MAX_VALUE)) << 32 | (Integer.MAX_VALUE - index);
    }

    private static float similarity(long packed) {
      int bits = (int) (packed >> 32);
      return Float.intBitsToFloat(bits ^ (bits >> 31 & Integer.MAX_VALUE));
    }

    private static int index(long packed) {
      return Integer.MAX_VALUE - (int) packed;
    }

    int vote(int[] labels, int classes, double temperature) {
      double[] votes = new double[classes];
      float best = similarity(packed.get(0));
      for (int j = 1; j < packed.size(); j++) {
        best = Math.max(best, similarity(packed.get(j)));
      }
      for (int j = 0; j < packed.size(); j++) {
        long neighbour = packed.get(j);
        votes[labels[index(neighbour)]] += Math.exp((similarity(neighbour) - best) / temperature);
      }
      int winner = 0;
      for (int c = 1; c < classes; c++) {
        if (votes[c] > votes[winner]) {
          winner = c;
        }
      }
      return winner;
    }
  }
}
