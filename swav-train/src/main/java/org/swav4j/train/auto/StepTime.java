package org.swav4j.train.auto;

import java.util.function.ToDoubleFunction;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingListener;

/**
 * How long a step takes here, in seconds: some steps of a trainer on the images themselves, so that
 * reading and cropping count.
 */
public final class StepTime implements ToDoubleFunction<TrainingConfig> {
  /** Steps, and seconds, until compiled code runs and the images' files have been found. */
  private static final int WARM_UP = 3;

  private static final double WARM_UP_SECONDS = 3;

  /** Steps, and seconds, that are timed. */
  private static final int TIMED = 5;

  private static final double TIMED_SECONDS = 2;

  private final ImageSource images;
  private final Normalisation normalisation;

  /** Steps on these images. */
  public StepTime(ImageSource images, Normalisation normalisation) {
    this.images = images;
    this.normalisation = normalisation;
  }

  @Override
  public double applyAsDouble(TrainingConfig chosen) {
    TrainingConfig config = chosen.withNormalisation(normalisation);
    Engine engine =
        Engines.of(config.execution().engine(), Precision.of(config.execution().precision()));
    SwavWeights weights =
        SwavWeights.initialise(config.network().with(images.channels()), config.execution().seed());
    Timing timing = new Timing();
    try (Trainer trainer = new Trainer(config, images, weights, engine)) {
      timing.trainer = trainer;
      trainer.listener(timing).run();
    }
    return timing.mean();
  }

  /** Stops a trainer when its steps have been timed. */
  private static final class Timing implements TrainingListener {
    private Trainer trainer;
    private int warmUpSteps;
    private double warmUpSeconds;
    private int steps;
    private double seconds;

    @Override
    public void step(StepMetrics m) {
      if (warmUpSteps < WARM_UP || warmUpSeconds < WARM_UP_SECONDS) {
        warmUpSteps++;
        warmUpSeconds += m.seconds();
        return;
      }
      steps++;
      seconds += m.seconds();
      if (steps >= TIMED && seconds >= TIMED_SECONDS) {
        trainer.stop();
      }
    }

    /** Seconds a step; of those of the warm-up if the run was shorter. */
    double mean() {
      return steps == 0 ? warmUpSeconds / warmUpSteps : seconds / steps;
    }
  }
}
