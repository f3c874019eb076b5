package org.swav4j.train.cli;

import java.util.Locale;
import org.swav4j.train.answers.Clustering;
import org.swav4j.train.evaluation.ClusterAgreement;
import picocli.CommandLine.Option;

/** {@code evaluate --clusters}: whether prototypes and classes agree. */
final class ClustersMeasure extends EvaluationMeasure {
  @Option(
      names = "--clusters",
      description =
          "Whether the prototypes that test images are nearest to agree with their classes:"
              + " normalised mutual information, adjusted Rand index, purity, and accuracy with each"
              + " class given one prototype (Hungarian method).")
  boolean asked;

  ClustersMeasure() {
    super(Labels.TEST, Rows.NONE);
  }

  @Override
  boolean asked() {
    return asked;
  }

  @Override
  void add(EvaluationLine line, Evaluated evaluated) {
    int prototypes = evaluated.encoder().config().prototypes();
    ClusterAgreement found =
        Clustering.of(evaluated.testImages(), evaluated.embedder(), evaluated.encoder())
            .agreement()
            .orElseThrow();
    line.add("clusters", found.clusters());
    line.add("prototypes", prototypes);
    line.add("nmi", found.nmi());
    line.add("ari", found.ari());
    line.add("purity", found.purity());
    line.add("cluster_accuracy", found.accuracy());
    line.say(
        String.format(
            Locale.ROOT,
            "clusters: %d of %d prototypes, NMI %.3f, ARI %.3f, purity %.2f %%, accuracy %.2f %%",
            found.clusters(),
            prototypes,
            found.nmi(),
            found.ari(),
            100 * found.purity(),
            100 * found.accuracy()));
  }
}
