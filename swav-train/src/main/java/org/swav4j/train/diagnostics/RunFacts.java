package org.swav4j.train.diagnostics;

/**
 * The settings that decide what a run can reach.
 *
 * @param batch B
 * @param queue L, rows of the queue per crop, 0 for none
 * @param prototypes K
 * @param samples training images
 * @param iterations steps of the whole run
 * @param frozen steps for which the prototypes stay as they are
 * @param lars whether LARS scales the steps
 * @param learningRate the highest
 */
public record RunFacts(
    int batch,
    int queue,
    int prototypes,
    int samples,
    long iterations,
    long frozen,
    boolean lars,
    double learningRate) {

  /**
   * The loss no network can go below: codes are spread evenly, so that B + L rows that are fewer
   * than the prototypes each cover several of them; ln(K / (B + L)), or 0.
   */
  public double lossFloor() {
    return Math.max(0, Math.log((double) prototypes / (batch + queue)));
  }

  /** SwAV's rate for this batch with LARS: 0.3 per 256 images. */
  double usualLarsRate() {
    return 0.3 * batch / 256;
  }

  /** A twentieth of the usual rate: each step then moves the weights by next to nothing. */
  boolean tooSlowForLars() {
    return lars && learningRate < usualLarsRate() / 20;
  }
}
