package org.swav4j.train.auto;

import org.swav4j.train.config.TrainingConfig;

/** How fast the machine is with some images. */
public interface Pace {
  /** Seconds that a step takes; infinite if there is too little memory for it. */
  double step(TrainingConfig config);

  /** Seconds in which an image is read and embedded to be judged. */
  double judged(TrainingConfig config);
}
