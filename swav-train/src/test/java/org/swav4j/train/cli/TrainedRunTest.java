package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.run.CheckpointFile;
import org.swav4j.train.run.RunFolder;

/** One training run on the built-in shapes from the command line, and what is done with it. */
class TrainedRunTest {
  private static final String[] FLAGS =
      "--data shapes:4096 --width 0.5 --epochs 4 --eval-bank 1500 --eval-test 1000".split(" ");

  @TempDir static Path folder;

  private static Path run;
  private static CommandLineTest.Outcome training;

  @BeforeAll
  static void train() {
    run = folder.resolve("run");
    training =
        CommandLineTest.swav(
            Stream.of(List.of("train"), List.of(FLAGS), List.of("--out", run.toString()))
                .flatMap(List::stream)
                .toArray(String[]::new));
  }

  private static List<JsonObject> epochs() throws IOException {
    try (Stream<String> lines = Files.lines(run.resolve("metrics.jsonl"))) {
      return lines
          .map(line -> JsonParser.parseString(line).getAsJsonObject())
          .filter(o -> o.get("kind").getAsString().equals("epoch"))
          .toList();
    }
  }

  /**
   * Twelve classes; an untrained network and raw pixels are right in about a fifth of the cases.
   * Runs on one and on two threads, whose sums round differently, ended 28 and 31 points above.
   */
  @Test
  void featuresBeatRawPixelsAndTheUntrainedNetworkByTenPoints() throws IOException {
    assertThat(training.status()).as(training.err()).isZero();
    double untrained = epochs().get(0).get("knn").getAsDouble();
    double trained = epochs().get(4).get("knn").getAsDouble();
    double raw = CheckpointFile.read(run.resolve("checkpoint.safetensors")).rawPixels();
    assertThat(untrained).isBetween(0.1, 0.3);
    assertThat(raw).isBetween(0.1, 0.3);
    assertThat(trained).isGreaterThan(Math.max(untrained, raw) + 0.1);
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
    assertThat(training.err()).containsOnlyOnce("warning: " + Settings.withFlags(warning));
  }

  @Test
  void theRunFolderHoldsWeightsMetricsPlotAndConfiguration() throws IOException {
    TrainingConfig config = new RunFolder(run).readConfig();
    assertThat(config)
        .isEqualTo(
            TrainingConfigTest.quick(FLAGS).withNormalisation(config.data().normalisation()));
    SwavWeights weights = SwavWeights.load(run.resolve("weights.safetensors"));
    assertThat(weights.config()).isEqualTo(config.network().with(3));
    assertThat(weights.mean()).isEqualTo(config.data().normalisation().mean());
    for (float norm : weights.parameters().get("prototypes.weight").norm2(1).toFloatVector()) {
      assertThat(norm).isCloseTo(1, within(1e-5f));
    }
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
    JsonObject figures = JsonParser.parseString(outcome.out()).getAsJsonObject();
    assertThat(figures.get("train_images").getAsInt()).isEqualTo(600);
    assertThat(figures.get("test_images").getAsInt()).isEqualTo(300);
    assertThat(figures.get("knn20").getAsDouble()).as("0.44 was seen").isGreaterThan(0.3);
    assertThat(figures.get("linear").getAsDouble()).as("0.44 was seen").isGreaterThan(0.3);
    assertThat(figures.get("linear_train").getAsDouble()).isBetween(0.3, 1.0);
  }

  @Test
  void theFiguresOfTheLastEpochAreThoseThatEvaluateGives() throws IOException {
    JsonObject last = epochs().get(4);
    JsonObject all = evaluate("--knn --rank --train-images 1500 --test-images 1000");
    assertThat(all.get("knn20").getAsDouble()).isEqualTo(last.get("knn").getAsDouble());
    for (JsonObject figures : List.of(all, evaluate("--rank --train-images 1500"))) {
      assertThat(figures.get("rankme").getAsDouble())
          .isCloseTo(last.get("rankme").getAsDouble(), within(1e-6));
      assertThat(figures.get("alpha_req").getAsDouble())
          .isCloseTo(last.get("alpha_req").getAsDouble(), within(1e-6));
    }
  }

  @Test
  void theWeightsOfTheEpochOfTheHighestRankMeAreKept() throws IOException {
    JsonObject best =
        epochs().stream()
            .skip(1)
            .max(Comparator.comparingDouble(e -> e.get("rankme").getAsDouble()))
            .orElseThrow();
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "evaluate",
            "--weights",
            run.resolve("best.safetensors").toString(),
            "--data",
            "shapes:4096",
            "--train-images",
            "1500",
            "--rank",
            "--json");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(JsonParser.parseString(outcome.out()).getAsJsonObject().get("rankme").getAsDouble())
        .isCloseTo(best.get("rankme").getAsDouble(), within(1e-6));
    assertThat(training.out()).contains("(RankMe): untrained network");
  }

  private static JsonObject evaluate(String more) {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            ("evaluate --json --run "
                    + run
                    + (more.contains("--train-images") ? "" : " --train-images 300")
                    + (more.contains("--test-images") ? " " : " --test-images 240 ")
                    + more)
                .split(" "));
    assertThat(outcome.status()).as(outcome.err()).isZero();
    return JsonParser.parseString(outcome.out()).getAsJsonObject();
  }

  @Test
  void otherImagesAreJudgedAtTheRunsSizeByClustersRankFactorsAndCrops() {
    JsonObject figures =
        evaluate(
            "--data shapes:1200 --knn --clusters --rank --linear --linear-protocol official"
                + " --linear-views 2 --linear-epochs 40");
    assertThat(figures.get("dim").getAsInt()).isEqualTo(32);
    JsonObject factors = figures.get("knn20_factors").getAsJsonObject();
    for (String factor : List.of("outline", "texture")) {
      assertThat(factors.get(factor).getAsDouble())
          .as("a class is right only if each of its factors is")
          .isGreaterThan(figures.get("knn20").getAsDouble() - 0.1);
    }
    assertThat(figures.get("rankme").getAsDouble()).isBetween(2.0, 32.0);
    assertThat(figures.get("clusters").getAsInt())
        .isBetween(2, figures.get("prototypes").getAsInt());
    assertThat(figures.get("nmi").getAsDouble()).isBetween(0.02, 1.0);
    assertThat(figures.get("purity").getAsDouble())
        .isBetween(figures.get("cluster_accuracy").getAsDouble(), 1.0);
    assertThat(figures.get("linear_lr").getAsDouble()).isIn(0.1, 0.3, 1.0, 3.0, 10.0);
    assertThat(figures.get("linear").getAsDouble()).isGreaterThan(0.15);
  }

  /** That it learns is shown by FineTuningTest; here, that the flags reach it. */
  @Test
  void fineTuningTakesTheShareOfLabelsAskedForAndTellsWhatItDid() {
    JsonObject figures =
        evaluate(
            "--fine-tune --labels 0.2 --fine-tune-epochs 3 --fine-tune-batch 12 --trunk-lr 0.02"
                + " --classifier-lr 0.2");
    assertThat(figures.get("fine_tune_images").getAsInt()).isEqualTo(60);
    assertThat(figures.get("fine_tune_epochs").getAsInt()).isEqualTo(3);
    assertThat(figures.get("fine_tune_from").getAsString()).isEqualTo("weights");
    // Chance is 1/12; three epochs of five steps reach 0.21 and 0.20.
    assertThat(figures.get("fine_tune").getAsDouble()).isGreaterThan(0.12);
    assertThat(figures.get("fine_tune_train").getAsDouble()).isBetween(0.12, 1.0);
    assertThat(figures.has("knn20")).isFalse();
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
    INDArray rows = Nd4j.createFromNpyFile(file.toFile());
    assertThat(rows.shape()).isEqualTo(new long[] {200, 32});
    // Features are what comes out of a rectifier, and differ from image to image.
    assertThat(rows.minNumber().doubleValue()).isNotNegative();
    assertThat(rows.std(0).maxNumber().doubleValue()).isGreaterThan(0.01);
  }

  private static CommandLineTest.Outcome report(Path of, Path out) {
    return CommandLineTest.swav("report", of.toString(), "--out", out.toString(), "--json");
  }

  /** Each part that can be damaged by itself, and what says so. */
  @Test
  void theReportIsWrittenAgainAndThatOfADamagedRunIsRefused() throws IOException {
    assertThat(Files.size(run.resolve("report.html"))).isBetween(700_000L, 5_000_000L);
    Path page = folder.resolve("again.html");
    CommandLineTest.Outcome whole = report(run, page);
    assertThat(whole.status()).as(whole.err()).isZero();
    JsonObject told = JsonParser.parseString(whole.out()).getAsJsonObject();
    assertThat(told.get("file").getAsString()).isEqualTo(page.toString());
    assertThat(page).content().contains("\"epoch\":4", "\"prototypes\":[{\"size\":");

    for (String part : List.of("config.json", "metrics.jsonl", "weights", "checkpoint")) {
      Path damaged = Files.createDirectory(folder.resolve("damaged-" + part));
      for (String name :
          List.of(
              "config.json", "metrics.jsonl", "weights.safetensors", "checkpoint.safetensors")) {
        byte[] bytes = Files.readAllBytes(run.resolve(name));
        Files.write(
            damaged.resolve(name),
            name.startsWith(part) ? Arrays.copyOf(bytes, Math.min(300, bytes.length / 2)) : bytes);
      }
      Path out = folder.resolve(part + ".html");
      CommandLineTest.Outcome refused = report(damaged, out);
      assertThat(refused.status()).as(part).isEqualTo(SwavCommand.FAILURE);
      assertThat(refused.err().strip()).as("one line").contains(part).doesNotContain("\n");
      assertThat(out).doesNotExist();
    }
  }

  @Test
  void aReportOfARunWhoseImagesAreGoneHasTheRest() throws IOException {
    Path moved = Files.createDirectory(folder.resolve("moved"));
    for (String name : List.of("metrics.jsonl", "weights.safetensors", "checkpoint.safetensors")) {
      Files.copy(run.resolve(name), moved.resolve(name));
    }
    Files.writeString(
        moved.resolve("config.json"),
        Files.readString(run.resolve("config.json"))
            .replace("\"shapes:4096\"", "\"folder:/nowhere\""));
    Path page = folder.resolve("gone.html");
    CommandLineTest.Outcome outcome = report(moved, page);
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(outcome.err()).contains("pictures are left out", "/nowhere", "--data");
    assertThat(page).content().contains("\"epoch\":4").doesNotContain("\"prototypes\":[{\"size\":");
  }
}
