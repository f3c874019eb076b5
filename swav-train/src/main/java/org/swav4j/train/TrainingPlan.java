package org.swav4j.train;

import org.swav4j.train.optimiser.LearningRateSchedule;

/**
 * The sizes of a run, which follow from its configuration and the number of images.
 *
 * @param images in the training data
 * @param batch B
 * @param epochs to be done in all
 * @param stepsPerEpoch images / batch; the images of the last incomplete batch rest in that epoch
 * @param prototypes K
 * @param frozenSteps during which the prototypes stay as they began
 * @param queueStartStep at which the queue begins to fill
 * @param schedule the learning rate of every step
 */
public record TrainingPlan(
    int images,
    int batch,
    int epochs,
    int stepsPerEpoch,
    int prototypes,
    long frozenSteps,
    long queueStartStep,
    LearningRateSchedule schedule) {

  /**
   * The sizes of a run.
   *
   * @throws IllegalArgumentException if the batch is larger than the data
   */
  public static TrainingPlan of(TrainingConfig config, int images) {
    TrainingConfig.Optimisation o = config.optimisation();
    if (o.batch() > images) {
      throw new IllegalArgumentException(
          String.format(
              "batch is %d, but there are only %d training images: take a --batch of at most %d, or"
                  + " more images",
              o.batch(), images, Math.max(2, images / 4)));
    }
    int steps = images / o.batch();
    return new TrainingPlan(
        images,
        o.batch(),
        o.epochs(),
        steps,
        config.network().prototypes(),
        Math.round(o.freezeEpochs() * steps),
        Math.round(config.codes().queueStartEpoch() * steps),
        new LearningRateSchedule(
            Math.round(o.warmupEpochs() * steps),
            (long) steps * o.epochs(),
            o.startLearningRate(),
            o.learningRate(),
            o.finalLearningRate()));
  }

  /** Steps of the whole run. */
  public long totalSteps() {
    return (long) epochs * stepsPerEpoch;
  }
}
