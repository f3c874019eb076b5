package org.swav4j.train.answers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.swav4j.train.evaluation.ClusterAgreement;

class ClusteringTest {
  private static final List<String> CLASSES = List.of("cat", "dog");

  @Test
  void clustersAreOrderedBySizeAndTheirImagesBySimilarity() {
    // Image 2 could not be read, and image 6 has no label.
    ListedImages images = new ListedImages(CLASSES, 0, 1, 1, 0, 1, 0, -1);
    Clustering found =
        new Clustering(
            images,
            5,
            new int[] {0, 1, 3, 4, 5, 6},
            new int[] {4, 0, 4, 0, 4, 2},
            new float[] {.5f, .7f, .9f, .8f, .9f, .1f});

    List<Clustering.Cluster> clusters = found.clusters(2);

    assertThat(clusters).extracting(Clustering.Cluster::prototype).containsExactly(4, 0, 2);
    assertThat(clusters).extracting(Clustering.Cluster::size).containsExactly(3, 2, 1);
    assertThat(clusters)
        .extracting(Clustering.Cluster::typical)
        .containsExactly(List.of(3, 5), List.of(4, 1), List.of(6));
    assertThat(clusters).extracting(Clustering.Cluster::label).containsExactly(0, 1, -1);
    assertThat(clusters)
        .extracting(Clustering.Cluster::labelShare)
        .containsExactly(1.0, 1.0, Double.NaN);
  }

  @Test
  void agreementIsThatOfTheLabelledImages() {
    ListedImages images = new ListedImages(CLASSES, 0, -1, 1, 1);
    Clustering found =
        new Clustering(images, 3, new int[] {0, 1, 2, 3}, new int[] {1, 1, 1, 2}, new float[4]);

    assertThat(found.agreement())
        .contains(ClusterAgreement.of(new int[] {1, 1, 2}, new int[] {0, 1, 1}));
    assertThat(
            new Clustering(new ListedImages(List.of(), -1), 3, new int[1], new int[1], new float[1])
                .agreement())
        .isEmpty();
  }
}
