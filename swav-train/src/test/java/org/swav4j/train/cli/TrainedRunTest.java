package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.factory.Nd4j;

/** One training run on the built-in shapes from the command line, and what is done with it. */
class TrainedRunTest {
  @TempDir static Path folder;

  private static Path run;
  private static CommandLineTest.Outcome training;

  @BeforeAll
  static void train() {
    run = folder.resolve("run");
    training =
        CommandLineTest.swav(
            "train",
            "--data",
            "shapes:4096",
            "--epochs",
            "4",
            "--eval-bank",
            "1500",
            "--eval-test",
            "1000",
            "--out",
            run.toString());
  }

  private static List<JsonObject> epochs() throws IOException {
    try (Stream<String> lines = Files.lines(run.resolve("metrics.jsonl"))) {
      return lines
          .map(line -> JsonParser.parseString(line).getAsJsonObject())
          .filter(o -> o.get("kind").getAsString().equals("epoch"))
          .toList();
    }
  }

  @Test
  void featuresBeatTheUntrainedNetworksByThreePoints() throws IOException {
    assertThat(training.status()).as(training.err()).isZero();
    double before = epochs().get(0).get("knn").getAsDouble();
    double after = epochs().get(4).get("knn").getAsDouble();
    assertThat(after).isGreaterThan(before + 0.03);
  }

  @Test
  void theLogTellsTheHealthOfEveryEpochAndWhatWasWarnedOf() throws IOException {
    for (JsonObject epoch : epochs().subList(1, 5)) {
      double loss = epoch.get("loss").getAsDouble();
      assertThat(epoch.get("kl").getAsDouble()).isBetween(0.0, loss);
      assertThat(epoch.get("code_entropy").getAsDouble()).isBetween(0.0, loss);
      assertThat(epoch.get("spread").getAsDouble()).isBetween(0.1, 1.0);
      assertThat(epoch.get("prototypes_used").getAsDouble()).isGreaterThan(0.5);
      assertThat(epoch.get("largest_share").getAsDouble()).isLessThan(0.5);
      assertThat(epoch.get("prototypes_distinct").getAsDouble()).isEqualTo(1);
      assertThat(epoch.has("advice")).isFalse();
    }
    String warning = epochs().get(0).get("advice").getAsJsonArray().get(0).getAsString();
    assertThat(warning).contains("only 256 steps");
    assertThat(training.err()).containsOnlyOnce("warning: " + warning);
  }

  @Test
  void theRunFolderHoldsWeightsMetricsPlotAndConfiguration() throws IOException {
    assertThat(run.resolve("weights.safetensors")).isNotEmptyFile();
    assertThat(run.resolve("config.json")).isNotEmptyFile();
    BufferedImage plot = ImageIO.read(run.resolve("report.png").toFile());
    assertThat(plot.getWidth()).isGreaterThan(300);
    assertThat(training.out() + training.err()).contains(run.toString());
  }

  @Test
  void theRunIsEvaluatedByNeighboursAndByALinearClassifier() {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "evaluate",
            "--run",
            run.toString(),
            "--data",
            "shapes:4096",
            "--train-images",
            "600",
            "--test-images",
            "300",
            "--linear-epochs",
            "10",
            "--json");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(outcome.out()).contains("knn", "linear");
  }

  @Test
  void everyImageGetsARowOfFeatures() {
    Path file = folder.resolve("features.npy");
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "embed",
            "--run",
            run.toString(),
            "--data",
            "shapes:200",
            "--part",
            "train",
            "--out",
            file.toString());
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(Nd4j.createFromNpyFile(file.toFile()).shape()).isEqualTo(new long[] {200, 64});
  }
}
