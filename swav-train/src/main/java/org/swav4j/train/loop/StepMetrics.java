package org.swav4j.train.loop;

import java.util.List;

/**
 * What is known after a step.
 *
 * @param epoch from 0
 * @param step in the whole run, from 0
 * @param loss in nats
 * @param lossShare loss as a share of the loss of chance, ln K for SwAV: 1 means that nothing is
 *     predicted; NaN if the method has no such number
 * @param learningRate that was used
 * @param queueRows rows of earlier batches that took part in the targets, 0 while it fills or
 *     without one
 * @param seconds the step took, waiting for its crops included
 * @param waitedSeconds of these, spent waiting for crops
 * @param advice what can't wait for the end of the epoch, one line each: what is wrong and which
 *     setting to turn; nearly always empty
 * @param stretch what the stretch of steps that ends here showed, the label of a {@link
 *     org.swav4j.train.advice.HealthState}; empty where none ends
 */
public record StepMetrics(
    int epoch,
    long step,
    double loss,
    double lossShare,
    double learningRate,
    int queueRows,
    double seconds,
    double waitedSeconds,
    List<String> advice,
    String stretch) {

  /** Copies the list. */
  public StepMetrics {
    advice = List.copyOf(advice);
  }

  /** A step that ends no stretch. */
  public StepMetrics(
      int epoch,
      long step,
      double loss,
      double lossShare,
      double learningRate,
      int queueRows,
      double seconds,
      double waitedSeconds,
      List<String> advice) {
    this(epoch, step, loss, lossShare, learningRate, queueRows, seconds, waitedSeconds, advice, "");
  }

  /** The same with other advice. */
  public StepMetrics withAdvice(List<String> lines) {
    return new StepMetrics(
        epoch,
        step,
        loss,
        lossShare,
        learningRate,
        queueRows,
        seconds,
        waitedSeconds,
        lines,
        stretch);
  }

  /** The same at the end of a stretch that showed this. */
  public StepMetrics withStretch(String label) {
    return new StepMetrics(
        epoch,
        step,
        loss,
        lossShare,
        learningRate,
        queueRows,
        seconds,
        waitedSeconds,
        advice,
        label);
  }
}
