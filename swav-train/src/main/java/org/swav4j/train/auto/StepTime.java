package org.swav4j.train.auto;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
  private static final int WARM_UP = 3;
  private static final int TIMED = 5;

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
        SwavWeights.initialise(
            config.network().with(images.channels()), config.execution().seed());
    List<Double> seconds = new ArrayList<>();
    try (Trainer trainer = new Trainer(config, images, weights, engine)) {
      trainer
          .listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  seconds.add(m.seconds());
                  if (seconds.size() == WARM_UP + TIMED) {
                    trainer.stop();
                  }
                }
              })
          .run();
    }
    List<Double> timed = new ArrayList<>(seconds.subList(Math.min(WARM_UP, seconds.size() - 1), seconds.size()));
    Collections.sort(timed);
    return timed.get(timed.size() / 2);
  }
}
