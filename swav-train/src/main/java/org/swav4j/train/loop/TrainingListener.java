package org.swav4j.train.loop;

/**
 * Is told how training goes, on the training thread: what it does delays the next step. Numbers are
 * only to be looked at; nothing a listener does changes the result.
 */
public interface TrainingListener {

  /**
   * Training begins.
   *
   * @param plan sizes of the run
   */
  default void started(TrainingPlan plan) {}

  /** A step is done. */
  default void step(StepMetrics metrics) {}

  /** An epoch is done and judged; also called once before the first epoch. */
  default void epoch(EpochMetrics metrics) {}

  /** Training ended, as planned or because it was asked to stop. */
  default void ended() {}
}
