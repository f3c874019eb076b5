package org.swav4j.train.auto;

import org.swav4j.train.config.TrainingConfig;

/** How fast the machine is with some images. */
public interface Pace {
  /**
   * Seconds that a step takes; infinite if there is too little memory for it.
   *
   * @param longest seconds that a step may take; of one that clearly takes longer the figure may be
   *     coarse
   */
  double step(TrainingConfig config, double longest);

  /** Seconds in which an image is read and embedded to be judged. */
  double judged(TrainingConfig config);
}
