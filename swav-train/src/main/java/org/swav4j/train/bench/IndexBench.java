package org.swav4j.train.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.train.answers.VectorIndex;
import org.swav4j.train.answers.VectorIndexWriter;

/**
 * Index and search of synthetic vectors in clusters, as features of images are: unit vectors around
 * a centre for every thousand of them, apart from it in 16 directions of the cluster's own (two
 * thirds of the length) and a little in all others (a tenth). Vector i is a function of i, so that
 * they need no memory and can be made again to find the true nearest.
 */
public final class IndexBench {
  private static final int MEMBERS = 1000;
  private static final int DIRECTIONS = 16;
  private static final double SPREAD = 0.67;
  private static final double NOISE = 0.1;
  private static final int BLOCK = 1024;

  private final int dim;
  private final float[][] centres;
  private final float[][] directions;

  private IndexBench(int vectors, int dim) {
    int clusters = Math.max(1, vectors / MEMBERS);
    this.dim = dim;
    this.centres = new float[clusters][];
    this.directions = new float[clusters][];
    for (int c = 0; c < clusters; c++) {
      SplittableRandom random = new SplittableRandom(~c);
      centres[c] = gaussians(random, dim, 1 / Math.sqrt(dim));
      directions[c] =
          gaussians(random, DIRECTIONS * dim, SPREAD / Math.sqrt((double) dim * DIRECTIONS));
    }
  }

  /**
   * What was measured.
   *
   * @param indexSeconds until the index was complete
   * @param segments parts that are searched one after the other
   * @param bytes of the index
   * @param query times of single queries, in milliseconds
   * @param slowest of the queries, in milliseconds
   * @param recall share of the true nearest that were found, in [0, 1]
   */
  public record Result(
      double indexSeconds, int segments, long bytes, Times query, double slowest, double recall) {}

  /**
   * Makes an index of that many vectors, searches it, and compares with every vector.
   *
   * @param vectors at least as many as {@code top}
   * @param dim numbers of a vector
   * @param queries that are not in the index, at least 1
   * @param top neighbours of each, at least 1
   * @param folder for the index
   * @throws IllegalArgumentException if a number is out of range
   * @throws IOException if the disk is full or fails
   */
  public static Result run(int vectors, int dim, int queries, int top, Path folder)
      throws IOException {
    if (top < 1 || vectors < top || queries < 1) {
      throw new IllegalArgumentException(
          "the "
              + top
              + " nearest of "
              + vectors
              + " vectors for "
              + queries
              + " queries, expected at least 1 of each and no more nearest than vectors");
    }
    IndexBench bench = new IndexBench(vectors, dim);
    long start = System.nanoTime();
    try (VectorIndexWriter writer = VectorIndexWriter.create(folder, dim)) {
      for (int i = 0; i < vectors; i++) {
        writer.add(Integer.toString(i), "", bench.vector(i));
      }
      writer.finish(Map.of());
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    float[][] asked = new float[queries][];
    for (int q = 0; q < queries; q++) {
      asked[q] = bench.vector(vectors + q);
    }
    int[][] nearest = bench.nearest(vectors, asked, top);
    try (VectorIndex index = VectorIndex.open(folder)) {
      // Once for Java to compile the search and for the files to be in memory.
      for (float[] query : asked) {
        index.search(query, top);
      }
      long[] times = new long[queries];
      int right = 0;
      for (int q = 0; q < queries; q++) {
        long begun = System.nanoTime();
        List<VectorIndex.Hit> hits = index.search(asked[q], top);
        times[q] = System.nanoTime() - begun;
        for (VectorIndex.Hit hit : hits) {
          int id = Integer.parseInt(hit.id());
          right += Arrays.stream(nearest[q]).anyMatch(n -> n == id) ? 1 : 0;
        }
      }
      return new Result(
          seconds,
          index.segments(),
          index.bytes(),
          Times.of(times),
          Arrays.stream(times).max().orElseThrow() / 1e6,
          (double) right / top / queries);
    }
  }

  private float[] vector(int i) {
    SplittableRandom random = new SplittableRandom(i);
    int cluster = random.nextInt(centres.length);
    float[] vector = gaussians(random, dim, NOISE / Math.sqrt(dim));
    for (int d = 0; d < dim; d++) {
      vector[d] += centres[cluster][d];
    }
    for (int k = 0; k < DIRECTIONS; k++) {
      float along = (float) random.nextGaussian();
      for (int d = 0; d < dim; d++) {
        vector[d] += along * directions[cluster][k * dim + d];
      }
    }
    double square = 0;
    for (float x : vector) {
      square += (double) x * x;
    }
    float scale = (float) (1 / Math.sqrt(square));
    for (int d = 0; d < dim; d++) {
      vector[d] *= scale;
    }
    return vector;
  }

  private static float[] gaussians(SplittableRandom random, int n, double deviation) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return values;
  }

  /** The vectors with the largest inner products with each query, all of them compared. */
  private int[][] nearest(int vectors, float[][] queries, int top) {
    int[][] nearest = new int[queries.length][top];
    float[][] best = new float[queries.length][top];
    for (float[] row : best) {
      Arrays.fill(row, Float.NEGATIVE_INFINITY);
    }
    float[][] rows = new float[BLOCK][];
    try (INDArray asked = Nd4j.createFromArray(queries)) {
      for (int from = 0; from < vectors; from += BLOCK) {
        int count = Math.min(BLOCK, vectors - from);
        for (int i = 0; i < count; i++) {
          rows[i] = vector(from + i);
        }
        float[][] block = count == BLOCK ? rows : Arrays.copyOf(rows, count);
        INDArray products = Nd4j.createUninitialized(DataType.FLOAT, queries.length, count);
        try (products;
            INDArray some = Nd4j.createFromArray(block)) {
          Nd4j.matmul(asked, some, products, false, true, false);
          float[][] found = products.toFloatMatrix();
          for (int q = 0; q < queries.length; q++) {
            for (int i = 0; i < count; i++) {
              insert(best[q], nearest[q], found[q][i], from + i);
            }
          }
        }
      }
    }
    return nearest;
  }

  private static void insert(float[] best, int[] which, float value, int index) {
    int slot = best.length - 1;
    if (value <= best[slot]) {
      return;
    }
    for (; slot > 0 && best[slot - 1] < value; slot--) {
      best[slot] = best[slot - 1];
      which[slot] = which[slot - 1];
    }
    best[slot] = value;
    which[slot] = index;
  }
}
