package org.swav4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SafeTensors;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingException;
import org.swav4j.train.loop.TrainingListener;

/** NaN and infinity never replace a good file. */
class NotFiniteTest {
  @TempDir Path dir;

  private static Checkpoint checkpoint(SwavWeights weights, Map<String, INDArray> momentum) {
    return new Checkpoint(
        Preset.QUICK.config(),
        1000,
        3,
        "",
        17,
        0.5,
        Double.NaN,
        weights.parameters(),
        weights.statistics(),
        momentum,
        Map.of(),
        Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"layer1.0.conv1.weight", "bn1.running_var", "momentum"})
  void noFileIsWrittenAndTheOneBeforeStays(String name) throws IOException {
    SwavWeights weights = SwavWeights.initialise(Preset.QUICK.config().network().with(3), 1);
    INDArray momentum = weights.parameters().get("conv1.weight").dup();
    Path checkpointFile = dir.resolve("checkpoint.safetensors");
    Path weightsFile = dir.resolve("weights.safetensors");
    CheckpointFile.write(checkpointFile, checkpoint(weights, Map.of("conv1.weight", momentum)));
    weights.save(weightsFile);
    byte[] goodCheckpoint = Files.readAllBytes(checkpointFile);
    byte[] goodWeights = Files.readAllBytes(weightsFile);

    INDArray bad =
        name.equals("momentum")
            ? momentum
            : weights.parameters().getOrDefault(name, weights.statistics().get(name));
    bad.putScalar(bad.length() - 1, Float.NEGATIVE_INFINITY);
    assertThatThrownBy(
            () ->
                CheckpointFile.write(
                    checkpointFile, checkpoint(weights, Map.of("conv1.weight", momentum))))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining(name)
        .hasMessageContaining("-Infinity at index " + (bad.length() - 1))
        .hasMessageContaining("the one before it is as it was");
    assertThat(checkpointFile).hasBinaryContent(goodCheckpoint);
    if (!name.equals("momentum")) {
      assertThatThrownBy(() -> weights.save(weightsFile))
          .isInstanceOf(ArithmeticException.class)
          .hasMessageContaining("tensor '" + name + "' holds -Infinity");
      assertThat(weightsFile).hasBinaryContent(goodWeights);
    }
    assertThat(dir.toFile().list()).hasSize(2);
  }

  /** A network small enough for some epochs a second. */
  private static TrainingConfig tiny(String... more) {
    return TrainingConfigTest.quick(
            Stream.concat(
                    Stream.of(
                        "--width=0.25",
                        "--hidden=16",
                        "--dim=8",
                        "--prototypes=6",
                        "--crops=2x16",
                        "--scales=0.3-1",
                        "--batch=8",
                        "--warmup=0",
                        "--seed=5",
                        "--workers=1"),
                    Stream.of(more))
                .toArray(String[]::new))
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  /** Epochs of SGD into the folder; the listener is told of them before the files are written. */
  private Throwable train(TrainingConfig config, SwavWeights weights, TrainingListener listener) {
    ImageSource images = DataSpec.parse("shapes:16").open().train(); // two steps an epoch
    try (Trainer trainer = new Trainer(config, images, weights, new Nd4jEngine())) {
      trainer
          .listener(listener)
          .listener(new CheckpointListener(trainer, new RunFolder(dir), Double.NaN, List.of()));
      return catchThrowable(trainer::run);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"conv1.weight", "prototypes.weight", "bn1.running_var"})
  void weightsThatBreakInAnEpochsLastStepLeaveTheFilesOfTheEpochBefore(String name)
      throws IOException {
    TrainingConfig config = tiny("--epochs=3", "--lr=0.05");
    SwavWeights weights = SwavWeights.initialise(config.network().with(3), 5);
    RunFolder folder = new RunFolder(dir);
    Map<Path, byte[]> good = new HashMap<>();
    Throwable error =
        train(
            config,
            weights,
            new TrainingListener() {
              @Override
              public void step(StepMetrics m) {
                if (m.step() == 3) { // the last of the second epoch
                  weights
                      .parameters()
                      .getOrDefault(name, weights.statistics().get(name))
                      .putScalar(1, Float.NaN);
                }
              }

              @Override
              public void epoch(EpochMetrics m) {
                if (m.epoch() == 2) {
                  for (Path file : List.of(folder.checkpoint(), folder.weights())) {
                    good.put(file, bytes(file));
                  }
                }
              }
            });
    assertThat(error)
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("checkpoint")
        .hasMessageContaining(name)
        .hasMessageContaining("NaN at index 1")
        .hasMessageContaining("the one before it is as it was");
    assertThat(good).hasSize(2);
    good.forEach((file, bytes) -> assertThat(file).hasBinaryContent(bytes));
    assertThat(CheckpointFile.read(folder.checkpoint()).step()).isEqualTo(2);
    assertThat(dir.toFile().list()).as("no half-written file").hasSize(2);
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The update overflows, in whichever step: what is on disk by then is finite. */
  @Test
  void aLearningRateThatOverflowsEndsTheRunAndLeavesFiniteFilesOrNone() throws IOException {
    TrainingConfig config = tiny("--epochs=30", "--lr=999", "--wd=0.99");
    SwavWeights weights = SwavWeights.initialise(config.network().with(3), 5);
    Throwable error = train(config, weights, new TrainingListener() {});
    assertThat(error)
        .isInstanceOf(TrainingException.class)
        .hasMessageMatching("(?s).*(Infinity|NaN|finite).*");
    for (String file : dir.toFile().list()) {
      Map<String, INDArray> tensors = SafeTensors.read(dir.resolve(file)).tensors();
      assertThat(SafeTensors.notFinite(tensors)).as(file).isEmpty();
    }
  }

  @Test
  void onlyTypesThatHaveThemAreSearched() {
    assertThat(
            SafeTensors.notFinite(
                Map.of(
                    "long", Nd4j.createFromArray(Long.MAX_VALUE),
                    "max", Nd4j.createFromArray(Float.MAX_VALUE, -Float.MAX_VALUE))))
        .isEmpty();
    assertThat(
            SafeTensors.notFinite(Map.of("d", Nd4j.createFromArray(1.0, Double.NaN).reshape(1, 2))))
        .contains("tensor 'd' holds NaN at index 1");
  }
}
