package org.swav4j.train.loop;

import java.util.Locale;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.optimiser.LearningRateSchedule;

/**
 * The sizes of a run, which follow from its configuration and the number of images.
 *
 * @param images in the training data
 * @param batch B, images in a step
 * @param epochs to be done in all
 * @param stepsPerEpoch images / batch; the images of the last incomplete batch rest in that epoch
 * @param prototypes K, of each head
 * @param frozenSteps during which the prototypes stay as they began
 * @param queueRows L, rows of the queue that join each batch once it is full; 0 without one, or if
 *     the run ends before
 * @param balanced whether codes are spread over the prototypes
 * @param queueStartStep at which the queue begins to fill
 * @param schedule the learning rate of every step
 */
public record RunSizes(
    int images,
    int batch,
    int epochs,
    int stepsPerEpoch,
    int prototypes,
    long frozenSteps,
    int queueRows,
    boolean balanced,
    long queueStartStep,
    LearningRateSchedule schedule) {

  /**
   * The sizes of a run.
   *
   * @throws IllegalArgumentException if the batch is larger than the data
   */
  public static RunSizes of(TrainingConfig config, int images) {
    TrainingConfig.Optimisation o = config.optimisation();
    int batch = o.imagesPerStep();
    if (batch > images) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "batch is %d%s, but there are only %d training images: take a `batch` of at most %d,"
                  + " or more images",
              batch,
              o.accumulate() == 1
                  ? ""
                  : " (`accumulate` " + o.accumulate() + " x " + o.batch() + ")",
              images,
              Math.max(2, images / 4 / o.accumulate())));
    }
    int steps = images / batch;
    long total = (long) steps * o.epochs();
    int queue = config.queueRows();
    long queueStart = Math.round(config.codes().queueStartEpoch() * steps);
    return new RunSizes(
        images,
        batch,
        o.epochs(),
        steps,
        config.network().prototypes(),
        Math.round(o.freezeEpochs() * steps),
        queueStart + queue / batch < total ? queue : 0,
        config.codes().kind().balanced(),
        queueStart,
        new LearningRateSchedule(
            Math.round(o.warmupEpochs() * steps),
            total,
            o.startLearningRate(),
            o.learningRate(),
            o.finalLearningRate()));
  }

  /** Steps of the whole run. */
  public long totalSteps() {
    return (long) epochs * stepsPerEpoch;
  }

  /** ln K, in nats: the loss of a network that says nothing. */
  public double logK() {
    return Math.log(prototypes);
  }

  /**
   * The least loss that balanced codes allow, ln(K / (B + L)), in nats; 0 where there are enough
   * samples for all prototypes, or codes aren't balanced. A prototype can't be given less than its
   * share, so with fewer samples than prototypes every code must spread over several.
   */
  public double lossFloor() {
    return balanced ? Math.max(0, Math.log((double) prototypes / (batch + queueRows))) : 0;
  }
}
