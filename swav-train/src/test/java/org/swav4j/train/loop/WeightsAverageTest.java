package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.run.CheckpointFile;

class WeightsAverageTest {
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();

  @TempDir Path dir;

  private static TrainingConfig config(String decay) {
    return TrainingConfigTest.quick(
            "--width=0.25",
            "--crops=2x12",
            "--batch=8",
            "--prototypes=6",
            "--epochs=2",
            "--ema=" + decay)
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  private static Trainer trainer(TrainingConfig config, SwavWeights weights) {
    return new Trainer(config, IMAGES, weights, new Nd4jEngine());
  }

  private static SwavWeights initial(TrainingConfig config) {
    return SwavWeights.initialise(config.network().with(3), 1);
  }

  private static Map<String, INDArray> all(SwavWeights weights) {
    Map<String, INDArray> all = new LinkedHashMap<>(weights.parameters());
    all.putAll(weights.statistics());
    all.remove("prototypes.weight"); // saved with unit rows
    return all;
  }

  @Test
  void everyStepMovesTheAverageByItsShareAndTrainingGoesOnWithTheWeights() {
    TrainingConfig config = config("0.4");
    SwavWeights weights = initial(config);
    Map<String, INDArray> expected = new LinkedHashMap<>();
    all(weights).forEach((name, w) -> expected.put(name, w.castTo(DataType.DOUBLE).dup()));
    try (Trainer trainer = trainer(config, weights)) {
      trainer.listener(
          new TrainingListener() {
            @Override
            public void step(StepMetrics metrics) {
              double[] first = {1 / 10., 2 / 11., 3 / 12., 4 / 13., 5 / 14.};
              double kept = metrics.step() < 5 ? first[(int) metrics.step()] : 0.4;
              all(weights)
                  .forEach(
                      (name, w) ->
                          expected
                              .get(name)
                              .muli(kept)
                              .addi(w.castTo(DataType.DOUBLE).muli(1 - kept)));
            }
          });
      trainer.run();
      Map<String, INDArray> average = all(trainer.weights());
      expected.forEach(
          (name, e) ->
              assertThat(average.get(name).castTo(DataType.DOUBLE).distance2(e))
                  .as(name)
                  .isLessThan(1e-5 * (1 + e.norm2Number().doubleValue())));
      assertThat(average.get("conv1.weight"))
          .isNotEqualTo(weights.parameters().get("conv1.weight"));
    }

    SwavWeights plain = initial(config);
    try (Trainer trainer = trainer(config("0"), plain)) {
      trainer.run();
      assertThat(all(trainer.weights())).isEqualTo(all(plain));
    }
    assertThat(all(weights)).as("training doesn't read the average").isEqualTo(all(plain));
  }

  @Test
  void aResumedRunHasTheSameAverage() {
    TrainingConfig config = config("0.9");
    SwavWeights whole = initial(config);
    Map<String, INDArray> expected;
    try (Trainer trainer = trainer(config, whole)) {
      trainer.run();
      expected = all(trainer.weights());
    }

    Path file = dir.resolve("checkpoint.safetensors");
    try (Trainer trainer = trainer(config, initial(config))) {
      trainer.listener(
          new TrainingListener() {
            @Override
            public void step(StepMetrics metrics) {
              if (metrics.step() == 4) {
                trainer.stop();
              }
            }
          });
      trainer.run();
      CheckpointFile.write(file, trainer.checkpoint(Double.NaN));
    }
    try (Trainer trainer = trainer(config, initial(config))) {
      trainer.restore(CheckpointFile.read(file));
      trainer.run();
      assertThat(all(trainer.weights())).isEqualTo(expected);
    }
  }

  @Test
  void aShareOfOneWouldNeverMove() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config("1"))
        .withMessageContainingAll("averageDecay", "1.0", "0.99");
  }
}
