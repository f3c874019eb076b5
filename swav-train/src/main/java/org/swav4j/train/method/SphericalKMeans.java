package org.swav4j.train.method;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;
import org.swav4j.train.host.HostTensor;

/**
 * k-means on the unit sphere, as DeepCluster-v2 clusters embeddings (Caron et al. 2020, <a
 * href="https://arxiv.org/abs/2006.09882">arXiv 2006.09882</a>, for DeepCluster-v2):
 *
 * <pre>
 *   as often as asked:   each row joins the centroid with the largest dot product
 *                        each centroid becomes the mean of its rows, brought to unit length
 *   at last:             each row joins the centroid with the largest dot product
 * </pre>
 *
 * <p>A centroid without rows, or with rows that cancel out, stays where it is; of equal dot
 * products the first counts. Dot products are computed block by block in the rows' own type, means
 * in double: memory beyond the rows doesn't grow with their number. The same rows and first
 * centroids give the same clusters bit for bit on the same machine. Immutable; may be shared
 * between threads.
 */
public final class SphericalKMeans {
  /** Dot products in memory at a time. */
  private static final int DOTS = 1 << 22;

  private static final int LARGEST_BLOCK = 8192;

  private final int iterations;
  private final Engine engine;

  /**
   * What is found.
   *
   * @param centroids {@code [K, D]}, rows of unit length
   * @param assignments for each row its centroid, from 0 to K-1
   */
  public record Clusters(INDArray centroids, int[] assignments) {}

  /**
   * The algorithm.
   *
   * @param iterations that move the centroids, at least 0; 10 in DeepCluster-v2
   * @param engine what multiplies rows and centroids
   */
  public SphericalKMeans(int iterations, Engine engine) {
    if (iterations < 0) {
      throw new IllegalArgumentException(
          "iterations are " + iterations + ", expected at least 0, usually 10");
    }
    this.iterations = iterations;
    this.engine = engine;
  }

  /**
   * Clusters rows, from centroids that are different rows drawn at random.
   *
   * @param rows {@code [N, D]} of unit length, float or double, row-major
   * @param k K, at most N
   * @param random drawn from K times
   * @throws IllegalArgumentException if there are fewer rows than clusters
   */
  public Clusters cluster(INDArray rows, int k, RandomGenerator random) {
    int n = Math.toIntExact(rows.size(0));
    if (k < 1 || k > n) {
      throw new IllegalArgumentException(
          "there are "
              + n
              + " rows for "
              + k
              + " clusters, expected at least one cluster and a row for each: take fewer clusters"
              + " (`prototypes`) or more images");
    }
    int[] order = new int[n];
    Arrays.setAll(order, i -> i);
    for (int i = 0; i < k; i++) {
      int j = random.nextInt(i, n);
      int drawn = order[j];
      order[j] = order[i];
      order[i] = drawn;
    }
    return cluster(rows, Arrays.copyOf(order, k));
  }

  /**
   * Clusters rows.
   *
   * @param rows {@code [N, D]} of unit length, float or double, row-major
   * @param first the rows that the centroids begin as, K indices
   * @throws IllegalArgumentException if an index is no row's
   */
  public Clusters cluster(INDArray rows, int... first) {
    INDArray centroids = Nd4j.createUninitialized(rows.dataType(), first.length, rows.size(1));
    for (int k = 0; k < first.length; k++) {
      if (first[k] < 0 || first[k] >= rows.size(0)) {
        throw new IllegalArgumentException(
            "first centroid " + k + " is row " + first[k] + " of " + rows.size(0));
      }
      block(centroids, k, 1).assign(block(rows, first[k], 1));
    }
    int[] assignments = new int[Math.toIntExact(rows.size(0))];
    try (Pass pass = new Pass(rows, centroids)) {
      for (int i = 0; i < iterations; i++) {
        pass.assign(assignments);
        pass.update();
      }
      pass.assign(assignments);
    }
    return new Clusters(centroids, assignments);
  }

  private static INDArray block(INDArray matrix, long start, long count) {
    return matrix.get(NDArrayIndex.interval(start, start + count));
  }

  /** The numbers of a dense row-major array: over its memory, or a copy if that is elsewhere. */
  private static IntToDoubleFunction numbers(INDArray array, HostTensor tensor) {
    if (!HostTensor.supports(array)) {
      double[] copy = array.dup('c').data().asDouble();
      return i -> copy[i];
    }
    tensor.bind(array);
    return tensor.isFloat() ? tensor.floats()::get : tensor.doubles()::get;
  }

  /** Rows against centroids, block by block: the plan {@code rows · centroids^T}. */
  private final class Pass implements AutoCloseable {
    private final INDArray rows;
    private final INDArray centroids;
    private final int k;
    private final int dim;
    private final int block;
    private final Execution execution;
    private final INDArray some;
    private final INDArray dots;
    private final HostTensor hostSome = new HostTensor();
    private final double[] sums;
    private final int[] members;

    Pass(INDArray rows, INDArray centroids) {
      this.rows = rows;
      this.centroids = centroids;
      this.k = centroids.rows();
      this.dim = centroids.columns();
      this.block = (int) Math.min(rows.size(0), Math.min(LARGEST_BLOCK, Math.max(1, DOTS / k)));
      this.sums = new double[k * dim];
      this.members = new int[k];
      Value left = Value.input("rows", rows.dataType(), block, dim);
      Value right = Value.parameter("centroids", centroids);
      Value product = Value.result("dots", rows.dataType(), block, k);
      Op multiply =
          new Op(
              OpType.MATMUL,
              List.of(left, right),
              List.of(product),
              Arguments.transpose(false, true));
      execution =
          engine.prepare(new Plan(List.of(left), List.of(product), List.of(multiply), List.of()));
      some = execution.array(left);
      dots = execution.array(product);
      // The last block's rest is computed too, and not looked at.
      some.assign(0);
    }

    /** Every row to its nearest centroid; sums and counts each one's rows. */
    void assign(int[] assignments) {
      Arrays.fill(sums, 0);
      Arrays.fill(members, 0);
      for (int start = 0; start < assignments.length; start += block) {
        int count = Math.min(block, assignments.length - start);
        HostTensor.copyRows(new HostTensor(), block(rows, start, count), hostSome, some, 0);
        execution.forward();
        int[] nearest = dots.argMax(1).toIntVector();
        IntToDoubleFunction numbers = numbers(some, hostSome);
        for (int row = 0; row < count; row++) {
          int centroid = nearest[row];
          assignments[start + row] = centroid;
          members[centroid]++;
          for (int d = 0; d < dim; d++) {
            sums[centroid * dim + d] += numbers.applyAsDouble(row * dim + d);
          }
        }
      }
    }

    /** Every centroid to the direction of the mean of its rows, which is that of their sum. */
    void update() {
      for (int c = 0; c < k; c++) {
        double squares = 0;
        for (int d = 0; d < dim; d++) {
          squares += sums[c * dim + d] * sums[c * dim + d];
        }
        // Rounding leaves about this much of unit rows that cancel out.
        if (Math.sqrt(squares) <= 1e-6 * members[c]) {
          continue;
        }
        for (int d = 0; d < dim; d++) {
          centroids.putScalar(c, d, sums[c * dim + d] / Math.sqrt(squares));
        }
      }
    }

    @Override
    public void close() {
      execution.close();
    }
  }
}
