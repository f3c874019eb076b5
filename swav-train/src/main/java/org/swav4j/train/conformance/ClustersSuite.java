package org.swav4j.train.conformance;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.method.SphericalKMeans;
import org.swav4j.train.method.SphericalKMeans.Clusters;

/** {@code spherical_kmeans.json}: {@link SphericalKMeans}. */
final class ClustersSuite implements Suite {
  @Override
  public boolean usesEngine() {
    return true;
  }

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    to.run("clusters", () -> clusters(file, to, engine));
  }

  private static void clusters(Fixture file, Comparisons to, Engine engine) {
    INDArray rows = file.array("x", to.arithmetic());
    int[] first = file.array("init_indices", Arithmetic.DOUBLE).toIntVector();
    int iterations = file.count("iterations");
    Clusters found = new SphericalKMeans(iterations, engine).cluster(rows, first);
    to.values("centroids", found.centroids(), file.array("centroids_f64", Arithmetic.DOUBLE));
    to.values(
        "assignments",
        Nd4j.createFromArray(found.assignments()),
        file.array("assignments", Arithmetic.DOUBLE));
    double[][] sizes = file.table("cluster_sizes_per_iteration");
    to.same("number of iterations", sizes.length == iterations);
    for (int i = 0; i < sizes.length; i++) {
      // Rows join their centroids as well after the last one that moves them.
      int[] joined = new SphericalKMeans(i, engine).cluster(rows, first).assignments();
      double[] counts =
          IntStream.range(0, first.length)
              .mapToDouble(k -> IntStream.of(joined).filter(a -> a == k).count())
              .toArray();
      to.same("cluster sizes in iteration " + i, Arrays.equals(counts, sizes[i]));
    }
  }
}
