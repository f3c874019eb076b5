package org.swav4j.train;

/**
 * What is known at the end of an epoch, or before the first.
 *
 * @param epoch epochs completed, so 0 before training
 * @param step steps completed
 * @param loss mean over the epoch, in nats; NaN before training
 * @param lossShare the same / ln K
 * @param imagesPerSecond during the epoch's steps; NaN before training
 * @param waitShare share of that time spent waiting for crops; NaN before training
 * @param knn k-NN accuracy of the network's features, 0 to 1; NaN where not measured
 */
public record EpochMetrics(
    int epoch,
    long step,
    double loss,
    double lossShare,
    double imagesPerSecond,
    double waitShare,
    double knn) {

  /** Whether k-NN was measured. */
  public boolean hasKnn() {
    return !Double.isNaN(knn);
  }
}
