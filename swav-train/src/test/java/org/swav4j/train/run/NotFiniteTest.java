package org.swav4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.SafeTensors;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.Preset;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.TrainingException;

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
