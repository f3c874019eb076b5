package org.swav4j.train.auto;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.data.ShapesSource;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingException;

class MeasuredPaceTest {
  private static final Normalisation NORMALISATION =
      new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3));

  private static final TrainingConfig CONFIG =
      TrainingConfigTest.quick(
              "--data=shapes:64",
              "--crops=2x16",
              "--scales=0.3-1",
              "--width=0.25",
              "--hidden=32",
              "--dim=16",
              "--prototypes=8",
              "--batch=16",
              "--epochs=100000",
              "--workers=1")
          .withNormalisation(NORMALISATION);

  private final ImageSource images = ShapesSource.open(64).train();
  private final List<Trainer> trainers = new ArrayList<>();

  private MeasuredPace pace() {
    return new MeasuredPace(
        images,
        NORMALISATION,
        config -> {
          SwavWeights weights = SwavWeights.initialise(config.network().with(3), 5);
          trainers.add(new Trainer(config, images, weights, Engines.of("auto", Precision.FLOAT)));
          return trainers.get(trainers.size() - 1);
        });
  }

  @Test
  void timingEndsAtTheFirstStepThatIsClearlyTooLong() {
    double tooLong = pace().step(CONFIG, 1e-9);
    assertThat(trainers.get(0).done()).as("the first loads classes, too").isBetween(1L, 2L);
    double timed = pace().step(CONFIG, Double.POSITIVE_INFINITY);
    assertThat(trainers.get(1).done()).isGreaterThan(8);
    assertThat(tooLong).isGreaterThan(4e-9);
    assertThat(timed).isGreaterThan(1e-9);
  }

  @Test
  void aNetworkForWhichThereIsTooLittleMemoryTakesForEver() {
    MeasuredPace none =
        new MeasuredPace(
            images,
            NORMALISATION,
            config -> {
              throw new TrainingException("too little memory");
            });
    assertThat(none.step(CONFIG, 1)).isInfinite();
  }
}
