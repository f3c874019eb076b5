package org.swav4j.train.loop;

/**
 * Is told how training goes, on the training thread: what it does delays the next step. Numbers are
 * only to be looked at; nothing a listener does changes the result.
 */
public interface TrainingListener {

  /**
   * Training begins.
   *
   * @param sizes of the run
   */
  default void started(RunSizes sizes) {}

  /** Something that people should know of the run and that is no number, in one line. */
  default void note(String line) {}

  /**
   * A step is done: adds advice that can't wait for the end of the epoch. Asked one after the
   * other, before any is told the outcome.
   *
   * @param metrics with what is known so far
   * @return these, or others with more advice
   */
  default StepMetrics measure(StepMetrics metrics) {
    return metrics;
  }

  /** A step is done and looked at. */
  default void step(StepMetrics metrics) {}

  /**
   * An epoch is done, or the first is about to begin: adds what this listener measures. Asked one
   * after the other, in the order in which they were added, before any is told the outcome.
   *
   * @param metrics with what is known so far
   * @return these, or others with more
   */
  default EpochMetrics measure(EpochMetrics metrics) {
    return metrics;
  }

  /** An epoch is done and measured; also called once before the first epoch. */
  default void epoch(EpochMetrics metrics) {}

  /** Training ended, as planned or because it was asked to stop. */
  default void ended() {}
}
