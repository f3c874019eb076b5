package org.swav4j.train.evaluation;

import java.util.Arrays;

/**
 * How well a clustering agrees with classes; the names of neither matter.
 *
 * @param nmi normalised mutual information, 2 I(U; V) / (H(U) + H(V)), in [0, 1]; 1 if there is one
 *     cluster and one class. Grows with the number of clusters even by chance
 * @param ari adjusted Rand index (Hubert and Arabie 1985): agreement about pairs of images, 1 for
 *     equal partitions and 0 on average by chance, whatever the number of clusters
 * @param purity share of images of the commonest class of their cluster, in (0, 1]; 1 if every
 *     image is a cluster of its own
 * @param accuracy share of images classified rightly if every class is given one cluster and every
 *     cluster at most one class, in the best way (Kuhn 1955); in [0, 1]. Of more clusters than
 *     classes the rest count as wrong: compare it where both are equally many
 * @param clusters how many clusters hold an image
 */
public record ClusterAgreement(
    double nmi, double ari, double purity, double accuracy, int clusters) {

  /**
   * Compares the two.
   *
   * @param cluster of each image, at least 0
   * @param label of each image, at least 0
   * @throws IllegalArgumentException if there is no image, the lengths differ or a number is
   *     negative
   */
  public static ClusterAgreement of(int[] cluster, int[] label) {
    if (cluster.length != label.length || cluster.length == 0) {
      throw new IllegalArgumentException(
          cluster.length
              + " clusters and "
              + label.length
              + " labels, expected one of each for every image, and an image");
    }
    int[] u = numbered(cluster, "cluster");
    int[] v = numbered(label, "label");
    int[][] shared = new int[max(u) + 1][max(v) + 1];
    for (int n = 0; n < u.length; n++) {
      shared[u[n]][v[n]]++;
    }
    int[][] transposed = transpose(shared);
    int[] sizes = sums(shared);
    int[] classes = sums(transposed);
    double n = u.length;
    long best = Assignment.largestSum(sizes.length <= classes.length ? shared : transposed);
    double commonest = Arrays.stream(shared).mapToInt(ClusterAgreement::max).sum();
    return new ClusterAgreement(
        nmi(shared, sizes, classes, n),
        ari(shared, sizes, classes, n),
        commonest / n,
        best / n,
        sizes.length);
  }

  /** Numbers from 0 without gaps, so that tables are no larger than they must be. */
  private static int[] numbered(int[] names, String what) {
    for (int n = 0; n < names.length; n++) {
      if (names[n] < 0) {
        throw new IllegalArgumentException(
            what + " of image " + n + " is " + names[n] + ", expected a number of at least 0");
      }
    }
    int[] different = Arrays.stream(names).sorted().distinct().toArray();
    return Arrays.stream(names).map(name -> Arrays.binarySearch(different, name)).toArray();
  }

  private static int max(int[] x) {
    return Arrays.stream(x).max().orElseThrow();
  }

  private static int[] sums(int[][] table) {
    return Arrays.stream(table).mapToInt(row -> Arrays.stream(row).sum()).toArray();
  }

  private static int[][] transpose(int[][] table) {
    int[][] transposed = new int[table[0].length][table.length];
    for (int i = 0; i < table.length; i++) {
      for (int j = 0; j < table[i].length; j++) {
        transposed[j][i] = table[i][j];
      }
    }
    return transposed;
  }

  private static double nmi(int[][] shared, int[] sizes, int[] classes, double n) {
    double information = 0;
    for (int i = 0; i < sizes.length; i++) {
      for (int j = 0; j < classes.length; j++) {
        if (shared[i][j] > 0) {
          double expected = (double) sizes[i] * classes[j] / n;
          information += shared[i][j] / n * Math.log(shared[i][j] / expected);
        }
      }
    }
    double entropies = entropy(sizes, n) + entropy(classes, n);
    return entropies == 0 ? 1 : Math.max(0, Math.min(1, 2 * information / entropies));
  }

  private static double entropy(int[] counts, double n) {
    return -Arrays.stream(counts).mapToDouble(c -> c / n * Math.log(c / n)).sum();
  }

  private static double ari(int[][] shared, int[] sizes, int[] classes, double n) {
    double together = Arrays.stream(shared).mapToDouble(ClusterAgreement::pairs).sum();
    double inClusters = pairs(sizes);
    double inClasses = pairs(classes);
    double byChance = n > 1 ? inClusters * inClasses / (n * (n - 1) / 2) : 0;
    double most = (inClusters + inClasses) / 2;
    return most == byChance ? 1 : (together - byChance) / (most - byChance);
  }

  private static double pairs(int[] counts) {
    return Arrays.stream(counts).mapToDouble(c -> (double) c * (c - 1) / 2).sum();
  }
}
