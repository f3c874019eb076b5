package org.swav4j.train.loop;

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
 */
public record StepMetrics(
    int epoch,
    long step,
    double loss,
    double lossShare,
    double learningRate,
    int queueRows,
    double seconds,
    double waitedSeconds) {}
