package org.swav4j.train.auto;

import java.util.function.Function;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.Sample;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingException;
import org.swav4j.train.loop.TrainingListener;

/**
 * Steps of a trainer and judgements of an encoder on the images themselves, so that reading and
 * cropping count.
 */
public final class MeasuredPace implements Pace {
  /** Steps, and seconds, until compiled code runs and the images' files have been found. */
  private static final int WARM_UP = 3;

  private static final double WARM_UP_SECONDS = 3;

  /** Steps, and seconds, that are timed. */
  private static final int TIMED = 5;

  private static final double TIMED_SECONDS = 2;

  /** A step of so many times the longest is too long, whatever later ones would take. */
  private static final double CLEARLY = 4;

  /** Seconds that the first step may take by its loading of classes and files. */
  private static final double LOADING = 5;

  /** Images that are judged. */
  private static final int JUDGED = 64;

  private final ImageSource images;
  private final Normalisation normalisation;
  private final Function<TrainingConfig, Trainer> trainers;

  /**
   * With these images.
   *
   * @param trainers makes the trainer of a configuration, or throws a {@link TrainingException} if
   *     there is too little memory for it: then a step takes for ever
   */
  public MeasuredPace(
      ImageSource images, Normalisation normalisation, Function<TrainingConfig, Trainer> trainers) {
    this.images = images;
    this.normalisation = normalisation;
    this.trainers = trainers;
  }

  @Override
  public double step(TrainingConfig chosen, double longest) {
    Timing timing = new Timing(longest);
    Trainer made;
    try {
      made = trainers.apply(chosen);
    } catch (TrainingException e) {
      return Double.POSITIVE_INFINITY;
    }
    try (Trainer trainer = made) {
      timing.trainer = trainer;
      trainer.listener(timing).run();
    }
    return timing.mean();
  }

  @Override
  public double judged(TrainingConfig config) {
    Engine engine = Engines.of(config.execution().engine(), Precision.FLOAT);
    Sample sample = Sample.of(images, Math.min(JUDGED, images.size()));
    try (Embedder embedder =
            new Embedder(
                InputSize.of(config.evaluationSize()),
                normalisation,
                config.execution().workers());
        SwavEncoder encoder = SwavEncoder.ofNormalised(weights(config), engine)) {
      embedder.collect(sample, encoder::features).features().close();
      long start = System.nanoTime();
      embedder.collect(sample, encoder::features).features().close();
      return (System.nanoTime() - start) / 1e9 / sample.size();
    }
  }

  private SwavWeights weights(TrainingConfig config) {
    return SwavWeights.initialise(
        config.network().with(images.channels()), config.execution().seed());
  }

  /** Stops a trainer when its steps have been timed, or one was clearly too long. */
  private static final class Timing implements TrainingListener {
    private final double longest;
    private Trainer trainer;
    private int warmUpSteps;
    private double warmUpSeconds;
    private int steps;
    private double seconds;

    Timing(double longest) {
      this.longest = longest;
    }

    @Override
    public void step(StepMetrics m) {
      double loading = warmUpSteps == 0 ? LOADING : 0;
      boolean tooLong = m.seconds() > CLEARLY * longest + loading;
      if (warmUpSteps < WARM_UP || warmUpSeconds < WARM_UP_SECONDS) {
        warmUpSteps++;
        warmUpSeconds += m.seconds();
        if (tooLong) {
          trainer.stop();
        }
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
