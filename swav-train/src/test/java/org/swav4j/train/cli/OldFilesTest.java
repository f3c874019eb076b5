package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SafeTensors;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.TrainingException;
import org.swav4j.train.run.CheckpointFile;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;

/** Files that an earlier release wrote, and files that none wrote. */
class OldFilesTest {
  /** The flags with which the fixture was made, see its README, and what the preset had then. */
  private static final String[] FLAGS =
      ("--data shapes:480 --width 0.25 --hidden 32 --dim 16 --prototypes 24 --batch 16 --queue 32"
              + " --queue-start 0.5 --optimiser lars --epsilon 0.03 --lr 0.6 --epochs 3 --eval-bank 60 --eval-test"
              + " 60 --seed 7 --engine onednn --workers 1 --rotate 0")
          .split(" ");

  /** Losses of steps 30 to 35, the first after the stop, in the run that was not stopped. */
  private static final double[] LOSSES = {
    3.3627049922943115,
    3.402674913406372,
    3.4592978954315186,
    3.3647725582122803,
    3.3005869388580322,
    3.4288368225097656
  };

  @TempDir Path folder;
  private RunFolder run;

  private static Path fixture(String name) {
    return Path.of("src", "test", "resources", "files", "version-1", name);
  }

  @BeforeEach
  void copyOfTheRun() throws IOException {
    run = new RunFolder(folder);
    for (Path file : List.of(run.config(), run.checkpoint(), run.weights(), run.metrics())) {
      Files.copy(fixture(file.getFileName().toString()), file);
    }
  }

  @Test
  void everyFileLoads() throws IOException {
    TrainingConfig config = run.readConfig();
    TrainingConfig asked = TrainingConfigTest.quick(FLAGS);
    assertThat(config).isEqualTo(asked.withNormalisation(config.data().normalisation()));
    assertThat(config.data().normalisation().mean().get(0)).isEqualTo(0.4992245263991017);

    Checkpoint checkpoint = CheckpointFile.read(run.checkpoint());
    assertThat(checkpoint.config()).isEqualTo(config);
    assertThat(checkpoint.step()).isEqualTo(30);
    assertThat(checkpoint.images()).isEqualTo(480);
    assertThat(checkpoint.channels()).isEqualTo(3);
    assertThat(checkpoint.momentum()).containsOnlyKeys(checkpoint.parameters().keySet());
    assertThat(checkpoint.method()).containsOnlyKeys("crop0", "crop1", "pushes");

    SwavWeights weights = SwavWeights.load(run.weights());
    assertThat(weights.mean()).isEqualTo(config.data().normalisation().mean());
    assertThat(checkpoint.parameters()).containsOnlyKeys(weights.parameters().keySet());
    weights
        .statistics()
        .forEach(
            (name, array) ->
                assertThat(checkpoint.statistics().get(name)).as(name).isEqualTo(array));
    // those of the weights are of unit length
    checkpoint
        .parameters()
        .forEach(
            (name, array) ->
                assertThat(
                        array.distance2(weights.parameters().get(name))
                            / array.norm2Number().doubleValue())
                    .as(name)
                    .isLessThan(name.equals("prototypes.weight") ? 0.05 : 1e-12));

    assertThat(MetricsLog.epochs(run.metrics())).extracting(e -> e.step()).containsExactly(0L, 30L);
  }

  @Test
  void theRunGoesOnToTheEndOfTheOneThatWasNotStopped() throws IOException {
    SwavWeights stopped = SwavWeights.load(run.weights());
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav("train", "--resume", folder.toString(), "--engine", "auto");
    assertThat(outcome.status()).as(outcome.err()).isZero();

    // Rounding differs between processors and grows over steps, so the first are compared closely:
    // without momentum they would differ by 4e-3, without the queue by 1.5e-2.
    double[] losses = losses();
    for (int i = 0; i < LOSSES.length; i++) {
      assertThat(losses[30 + i])
          .as("step " + (30 + i))
          .isCloseTo(LOSSES[i], within(5e-5 * LOSSES[i]));
    }
    // With two threads instead of one the distance is 0.035, without momentum it would be 0.5.
    SwavWeights whole = SwavWeights.load(fixture("weights-of-the-whole-run.safetensors"));
    assertThat(distance(SwavWeights.load(run.weights()), whole) / distance(stopped, whole))
        .isLessThan(0.1);
  }

  private double[] losses() throws IOException {
    try (Stream<String> lines = Files.lines(run.metrics())) {
      return lines
          .map(line -> JsonParser.parseString(line).getAsJsonObject())
          .filter(entry -> entry.get("kind").getAsString().equals("step"))
          .mapToDouble(entry -> entry.get("loss").getAsDouble())
          .toArray();
    }
  }

  private static double distance(SwavWeights a, SwavWeights b) {
    double squares = 0;
    for (Map.Entry<String, INDArray> e : a.parameters().entrySet()) {
      double d = e.getValue().distance2(b.parameters().get(e.getKey()));
      squares += d * d;
    }
    return Math.sqrt(squares);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\'',
      value = {
        "\"epsilon\":; \"epsilom\":; codes.epsilom is unknown, expected one of assigning, epsilon",
        "\"queueLength\": 32,; ''; codes.queueLength is missing",
        "\"width\": 0.25; \"width\": \"wide\"; network.width is 'wide', expected a number",
        "\"batch\": 16; \"batch\": 16.5; optimisation.batch is 16.5, expected a whole number",
        "\"LARS\"; \"ADAM\"; optimisation.optimiser is 'ADAM', expected SGD or LARS",
        "\"count\": 4,; ''; crops[1].count is missing",
        "\"count\": 4,; \"count\": null,; crops[1].count is null, expected a number",
        "\"minRatio\"; \"ratio\"; augmentation.ratio is unknown",
        "\"epsilon\": 0.03; \"epsilon\": 0; `epsilon` is 0.0, expected above 0",
        "\"data\": {; \"seed\": 7, \"data\": {; seed is unknown",
        "\"data\": {; \"version\": 99, \"data\": {; is of version 99, and this release reads up to",
        "\"data\": {; \"version\": \"new\", \"data\": {; version is \"new\", expected a whole"
            + " number",
      })
  void aConfigurationIsReadExactlyOrRefusedByTheNameOfTheKey(
      String key, String instead, String says) throws IOException {
    String json = Files.readString(run.config());
    String changed = json.replace(key, instead);
    assertThat(changed).isNotEqualTo(json);
    Files.writeString(run.config(), changed);
    assertThatThrownBy(run::readConfig)
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining(run.config().toString())
        .hasMessageContaining(says);

    rewrite(metadata -> metadata.put("config", changed), Map.of());
    assertThatThrownBy(() -> CheckpointFile.read(run.checkpoint()))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("its key 'config': ")
        .hasMessageContaining(says);
  }

  @Test
  void aCheckpointIsReadExactlyOrRefusedByTheNameOfItsPart() throws IOException {
    refused(metadata -> metadata.remove("loss_sum"), "its key 'loss_sum' is missing");
    refused(metadata -> metadata.put("lossSum", "1"), "its key 'lossSum' is unknown");
    refused(
        metadata -> metadata.put("step", "many"), "its key 'step' is 'many', expected a number");
    refused(metadata -> metadata.put("version", "99"), "version 99, and this release reads up to");
    refused(metadata -> metadata.put("version", "new"), "its key 'version' is 'new'");
    rewrite(
        metadata -> {},
        Map.of("momenta/x", SwavWeights.load(run.weights()).parameters().get("conv1.weight")));
    assertThatThrownBy(() -> CheckpointFile.read(run.checkpoint()))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("its group of arrays 'momenta' is unknown");
  }

  /** A change of a checkpoint's metadata. */
  private interface Edit {
    void edit(Map<String, String> metadata);
  }

  private void refused(Edit edit, String says) throws IOException {
    rewrite(edit, Map.of());
    assertThatThrownBy(() -> CheckpointFile.read(run.checkpoint()))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining(says);
  }

  /** The fixture's checkpoint with other metadata and more arrays. */
  private void rewrite(Edit edit, Map<String, INDArray> more) throws IOException {
    SafeTensors checkpoint = SafeTensors.read(fixture("checkpoint.safetensors"));
    Map<String, String> metadata = new LinkedHashMap<>(checkpoint.metadata());
    edit.edit(metadata);
    Map<String, INDArray> tensors = new LinkedHashMap<>(checkpoint.tensors());
    tensors.putAll(more);
    SafeTensors.write(run.checkpoint(), tensors, metadata);
  }

  @Test
  void newFilesCarryTheirVersion() throws IOException {
    TrainingConfig config = run.readConfig();
    run.write(config);
    JsonObject written = JsonParser.parseString(Files.readString(run.config())).getAsJsonObject();
    assertThat(written.get("version").getAsInt()).isPositive();
    JsonObject old =
        JsonParser.parseString(Files.readString(fixture("config.json"))).getAsJsonObject();
    written.remove("version");
    for (Settings.Field field : Settings.all()) {
      if (field.setting().since() > 1) {
        String name = field.component().getName();
        JsonObject owner =
            field.section().equals(name) ? written : written.getAsJsonObject(field.section());
        if (field.setting().parts().length == 0) {
          owner.remove(name);
        }
        for (String part : field.setting().parts()) {
          owner.getAsJsonObject(name).remove(part);
        }
      }
    }
    assertThat(written).as("the structure stays").isEqualTo(old);
    assertThat(run.readConfig()).isEqualTo(config);
  }
}
