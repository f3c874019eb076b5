package org.swav4j.sinkhorn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Generated problems, and measures the tests share. */
final class Problems {
  private Problems() {}

  /** Cosines of random unit vectors of length 16: [b, k], double. */
  static INDArray cosines(int b, int k, long seed) {
    Random random = new Random(seed);
    double[][] x = unit(b, random);
    double[][] c = unit(k, random);
    double[][] s = new double[b][k];
    for (int i = 0; i < b; i++) {
      for (int j = 0; j < k; j++) {
        for (int d = 0; d < x[i].length; d++) {
          s[i][j] += x[i][d] * c[j][d];
        }
      }
    }
    return Nd4j.createFromArray(s);
  }

  private static double[][] unit(int n, Random random) {
    double[][] x = new double[n][16];
    for (double[] row : x) {
      double norm = 0;
      for (int d = 0; d < row.length; d++) {
        row[d] = random.nextGaussian();
        norm += row[d] * row[d];
      }
      for (int d = 0; d < row.length; d++) {
        row[d] /= Math.sqrt(norm);
      }
    }
    return x;
  }

  /** Masses that sum to 1, none below a tenth of the mean. */
  static double[] masses(int n, Random random) {
    double[] mass = random.doubles(n, 0.1, 1.9).toArray();
    double sum = java.util.Arrays.stream(mass).sum();
    for (int i = 0; i < n; i++) {
      mass[i] /= sum;
    }
    return mass;
  }

  static int[] permutation(int n, Random random) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    return order.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Largest absolute difference; infinite if anything is not a number. */
  static double distance(INDArray x, INDArray y) {
    double[] p = x.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    double[] q = y.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    double largest = p.length == q.length ? 0 : Double.POSITIVE_INFINITY;
    for (int i = 0; i < Math.min(p.length, q.length); i++) {
      double d = Math.abs(p[i] - q[i]);
      largest = Double.isNaN(d) ? Double.POSITIVE_INFINITY : Math.max(largest, d);
    }
    return largest;
  }

  /** Runs every task in a thread of its own, as shards must be. */
  static <T> List<T> together(List<Callable<T>> tasks) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> f : threads.invokeAll(tasks)) {
        results.add(f.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }
}
