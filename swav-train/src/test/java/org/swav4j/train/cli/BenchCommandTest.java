package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swav4j.data.DataSpec;

class BenchCommandTest {
  private static final String[] TINY = {
    "bench",
    "step",
    "--arch",
    "resnet20w4",
    "--channels",
    "1",
    "--crops",
    "2x12,1x8",
    "--batch",
    "6",
    "--hidden",
    "8",
    "--dim",
    "8",
    "--prototypes",
    "5",
    "--threads",
    "1",
    "--warmup",
    "1",
    "--repeats",
    "2",
    "--json"
  };

  /** A tiny step; a number of {@code --repeats} takes the place of its own. */
  private static JsonObject step(String... more) {
    List<String> all = new ArrayList<>(List.of(TINY));
    for (int i = 0; i < more.length; i++) {
      if (more[i].equals("--repeats")) {
        all.set(all.indexOf("--repeats") + 1, more[++i]);
      } else {
        all.add(more[i]);
      }
    }
    CommandLineTest.Outcome outcome = CommandLineTest.swav(all.toArray(String[]::new));
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(outcome.out().lines()).hasSize(1);
    return JsonParser.parseString(outcome.out()).getAsJsonObject();
  }

  @ParameterizedTest
  @CsvSource({"onednn", "nd4j"})
  void aStepsPartsAddUpToIt(String engine) {
    long start = System.nanoTime();
    JsonObject json = step("--engine", engine);
    double elapsed = (System.nanoTime() - start) / 1e6;
    double median = json.get("median_ms").getAsDouble();
    assertThat(json.keySet())
        .contains(
            "mode",
            "arch",
            "stem",
            "crops",
            "batch",
            "threads",
            "engine",
            "precision",
            "median_ms",
            "best_ms",
            "images_per_s",
            "forward_ms",
            "backward_ms",
            "codes_ms",
            "update_ms",
            "peak_rss_mb",
            "peak_gflops",
            "share_of_peak");
    assertThat(json.get("engine").getAsString()).isEqualTo(engine);
    double parts =
        List.of("forward_ms", "backward_ms", "codes_ms", "update_ms").stream()
            .mapToDouble(k -> json.get(k).getAsDouble())
            .sum();
    // Two runs: a median is their mean, so that parts and whole agree but for their rounding.
    assertThat(parts).isCloseTo(median, within(0.3));
    assertThat(median).as("two steps and one before them, in milliseconds").isPositive();
    assertThat(2 * (median - 0.05)).isLessThan(elapsed);
    assertThat(json.get("images_per_s").getAsDouble())
        .as("6 images in a step")
        .isBetween(6e3 / (median + 0.05) - 0.01, 6e3 / (median - 0.05) + 0.01);
    assertThat(json.get("peak_gflops").getAsDouble()).isPositive();
  }

  /**
   * The crops of an image have nothing in common, so that prediction is no better than chance, ln 5
   * nats; it is worse by what the scores of an untrained network differ from one another.
   */
  @Test
  void itsLossIsThatOfRandomScoresOnBothEngines() {
    double loss = step("--engine", "onednn", "--no-peak").get("loss").getAsDouble();
    assertThat(step("--engine", "nd4j", "--no-peak").get("loss").getAsDouble())
        .as("the same three steps")
        .isCloseTo(loss, within(1e-3));
    assertThat(loss).isBetween(Math.log(5), 3 * Math.log(5));
  }

  @Test
  void kernelsByKindAndInOrderCoverBothPasses() {
    JsonObject json = step("--per-op", "--print-plan", "--no-peak");
    JsonArray plan = json.getAsJsonArray("plan");
    JsonArray kinds = json.getAsJsonArray("per_op");
    int kernels = 0;
    double forward = 0;
    for (var row : kinds) {
      kernels += row.getAsJsonObject().get("number").getAsInt();
      forward += row.getAsJsonObject().get("forward_ms").getAsDouble();
    }
    assertThat(kernels).isEqualTo(plan.size());
    assertThat(forward).isPositive();
    assertThat(plan)
        .extracting(l -> l.getAsJsonObject().get("pass").getAsString())
        .contains("forward", "backward");
    assertThat(plan.get(0).getAsJsonObject().get("inputs").getAsString())
        .contains("[12, 1, 12, 12]");
  }

  /** Before the first clustering nothing moves, and every step on the same crops has one loss. */
  @Test
  void stepsOfDeepClusterAreThoseThatLearnAndClusteringIsTimedByItself() {
    JsonObject one = step("--method", "deepcluster-v2", "--no-peak", "--repeats", "1");
    JsonObject more = step("--method", "deepcluster-v2", "--no-peak", "--repeats", "8");
    assertThat(more.get("loss").getAsDouble()).isLessThan(one.get("loss").getAsDouble() - 1e-3);
    assertThat(one.get("clustering_ms").getAsDouble()).isPositive();
    assertThat(one.get("clustering_images").getAsInt())
        .isEqualTo(DataSpec.parse("shapes").open().train().size());
    assertThat(step("--method", "simclr", "--no-peak").keySet())
        .doesNotContain("clustering_ms", "clustering_images");
  }

  @Test
  void codesAreTimedInBothFormsAndTheRateIsThatOfTheMedian() {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav("bench", "sinkhorn", "--sizes", "64x300", "--threads", "1", "--json");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(outcome.out().lines().map(l -> JsonParser.parseString(l).getAsJsonObject()))
        .hasSize(2)
        .allSatisfy(
            json -> {
              assertThat(json.get("mode").getAsString()).isEqualTo("sinkhorn");
              assertThat(json.get("prototypes").getAsInt()).isEqualTo(300);
              double median = json.get("median_ms").getAsDouble();
              assertThat(json.get("best_ms").getAsDouble())
                  .isPositive()
                  .isLessThanOrEqualTo(median);
              double megabytes = 2 * 4 * 64 * 300 / 1e6; // floats read once and written once
              assertThat(json.get("gb_per_s").getAsDouble())
                  .as("of a rounded median, rounded")
                  .isBetween(
                      megabytes / (median + 1e-4) - 0.051, megabytes / (median - 1e-4) + 0.051);
            })
        .extracting(json -> json.get("form").getAsString())
        .containsExactly("kernel", "log");
  }

  @Test
  void inferenceIsTimedByTheImage() {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "bench", "embed", "--arch", "resnet20w4", "--size", "16", "--batch", "3", "--json");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
    double ms = json.get("median_ms").getAsDouble();
    assertThat(json.get("images_per_s").getAsDouble() * ms / 1e3)
        .isCloseTo(3, org.assertj.core.data.Percentage.withPercentage(5 + 1 / ms));
  }

  @Test
  void withoutThePeakThereIsNoShareOfIt() {
    assertThat(step("--no-peak").keySet())
        .contains("median_ms", "gflop")
        .doesNotContain("peak_gflops", "share_of_peak");
  }

  @Test
  void cropsAreTimedWithTheShareThatReadingTakes() {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "bench", "data", "--data", "shapes:9", "--limit", "4", "--crops", "1x8", "--json");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
    assertThat(json.get("images").getAsInt()).isEqualTo(4);
    assertThat(json.get("images_per_s_per_core").getAsDouble()).isPositive();
    assertThat(json.get("reading_share").getAsDouble()).isBetween(0.0, 1.0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bench                                        | step",
        "bench step --arch vgg                        | 'vgg' is unknown",
        "bench step --arch resnet18w0                 | width is 0.0",
        "bench step --crops 32                        | '32' can't be read",
        "bench step --crops 1x32                      | expected at least 2",
        "bench step --batch 0                         | batch is 0",
        "bench step --prototypes 1                    | prototypes is 1",
        "bench step --repeats 0                       | --repeats is 0",
        "bench step --warmup -1                       | --warmup is -1",
        "bench step --threads 0                       | --threads is 0",
        "bench step --engine tpu                      | tpu",
        "bench step --precision half                  | \"half\" is unknown",
        "bench step --engine nd4j --precision bf16    | onednn",
        "bench sinkhorn --sizes 64                    | '64' can't be read",
        "bench sinkhorn --sizes 0x5                   | '0x5' can't be read",
        "bench data --data shapes:0                   | shapes:0",
        "bench data --data shapes:4 --limit -1        | --limit is -1",
        "bench data --data folder:there/is/none       | there/is/none",
        "bench data --data shapes:4 --crops 2x0       | 2x0",
        "bench embed --batch 0                        | --batch is 0",
        "bench embed --size 0                         | --size is 0",
        "bench embed --arch vgg                       | 'vgg' is unknown"
      })
  void badArgumentsAreRefusedWithStatus2AndNamed(String line, String said) {
    CommandLineTest.Outcome outcome = CommandLineTest.swav(line.strip().split(" +"));
    assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.err().lines().findFirst().orElse("")).contains(said);
    assertThat(outcome.err()).doesNotContain("\tat ");
  }

  @Test
  void searchIsTimedWithTheShareThatItFinds() {
    long start = System.nanoTime();
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav("bench index --vectors 3000 --dim 48 --queries 20 --json".split(" "));
    double elapsed = (System.nanoTime() - start) / 1e6;
    assertThat(outcome.status()).as(outcome.err()).isZero();
    JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
    assertThat(json.get("recall").getAsDouble()).isBetween(0.95, 1.0);
    assertThat(json.get("index_mb").getAsDouble()).isBetween(3000 * 48 * 4 / 1e6, 3.0);
    double median = json.get("median_ms").getAsDouble();
    assertThat(median).isPositive();
    assertThat(json.get("slowest_ms").getAsDouble()).isGreaterThanOrEqualTo(median);
    assertThat(1e3 * json.get("index_s").getAsDouble() + 10 * median)
        .as("half of the queries take the median or more")
        .isLessThan(elapsed);
  }

  @Test
  void aFolderWithoutImagesIsRefused(@TempDir Path folder) {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav("bench", "data", "--data", "folder:" + folder);
    assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.err()).contains(folder.toString());
  }
}
