package org.swav4j.train.loop;

import java.util.List;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;

/**
 * What is known at the end of an epoch, or before the first.
 *
 * @param epoch epochs completed, so 0 before training
 * @param step steps completed
 * @param loss mean over the epoch, in nats; NaN before training
 * @param lossShare the same as a share of the loss of chance, ln K for SwAV
 * @param imagesPerSecond during the epoch's steps; NaN before training
 * @param waitShare share of that time spent waiting for crops; NaN before training
 * @param features how good the network's features are; unknown where not measured
 * @param health of codes, embeddings and prototypes, from a sample of the epoch's steps; unknown
 *     without a listener that looks
 * @param state the same in a word, such as {@code healthy} or {@code collapsed}; empty if nothing
 *     judges it
 * @param advice what is wrong and which setting to turn, one line each, settings by the names of
 *     their fields in backticks: before training what the settings foretell, afterwards what the
 *     numbers say; empty if nothing is amiss
 */
public record EpochMetrics(
    int epoch,
    long step,
    double loss,
    double lossShare,
    double imagesPerSecond,
    double waitShare,
    FeatureQuality features,
    EpochDiagnostics health,
    String state,
    List<String> advice) {

  /** Copies the list. */
  public EpochMetrics {
    advice = List.copyOf(advice);
  }

  /** What is known before training: nothing yet. */
  static EpochMetrics untrained() {
    double nan = Double.NaN;
    return new EpochMetrics(
        0, 0, nan, nan, nan, nan, FeatureQuality.UNKNOWN, EpochDiagnostics.UNKNOWN, "", List.of());
  }

  /** The same with features of this quality. */
  public EpochMetrics withFeatures(FeatureQuality quality) {
    return new EpochMetrics(
        epoch, step, loss, lossShare, imagesPerSecond, waitShare, quality, health, state, advice);
  }

  /** The same with other health. */
  public EpochMetrics withHealth(EpochDiagnostics found) {
    return new EpochMetrics(
        epoch, step, loss, lossShare, imagesPerSecond, waitShare, features, found, state, advice);
  }

  /** The same with a word on its health. */
  public EpochMetrics withState(String word) {
    return new EpochMetrics(
        epoch, step, loss, lossShare, imagesPerSecond, waitShare, features, health, word, advice);
  }

  /** The same with other advice. */
  public EpochMetrics withAdvice(List<String> lines) {
    return new EpochMetrics(
        epoch, step, loss, lossShare, imagesPerSecond, waitShare, features, health, state, lines);
  }

  /** k-NN accuracy of the features, 0 to 1; NaN where not measured. */
  public double knn() {
    return features.knn();
  }

  /** Whether k-NN was measured. */
  public boolean hasKnn() {
    return !Double.isNaN(knn());
  }
}
