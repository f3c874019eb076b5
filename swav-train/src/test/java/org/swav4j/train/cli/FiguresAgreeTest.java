package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The k-NN figure at the end of a run is the one that evaluate gives. JPEG files of many sizes are
 * decoded in other reductions for crops than for evaluation, so pixels would differ if what was
 * read for one were used for the other.
 */
class FiguresAgreeTest {
  private static final int TRAIN = 160;
  private static final int BANK = 128;
  private static final int TEST = 120;

  @TempDir static Path folder;

  private static Path run;
  private static CommandLineTest.Outcome training;

  @BeforeAll
  static void train() throws IOException {
    Path images = folder.resolve("images");
    write(images.resolve("train"), TRAIN, 1);
    write(images.resolve("test"), TEST, 2);
    run = folder.resolve("run");
    training =
        CommandLineTest.swav(
            ("train --preset quick --json --epochs 2 --batch 32 --width 0.25 --hidden 16 --dim 8 --prototypes 8"
                    + " --neighbours 5 --eval-bank "
                    + BANK
                    + " --eval-test "
                    + TEST
                    + " --data folder:"
                    + images
                    + " --out "
                    + run)
                .split(" "));
    assertThat(training.status()).as(training.err()).isZero();
  }

  /** Noise with a faint tint, so that neighbours are close calls. */
  private static void write(Path part, int count, long seed) throws IOException {
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      Path directory = Files.createDirectories(part.resolve(i % 4 < 2 ? "a" : "b"));
      int width = 110 + random.nextInt(110);
      int height = 110 + random.nextInt(110);
      BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          image.setRGB(x, y, (random.nextInt(1 << 24) & 0xf0f0f0) | (i % 4 < 2 ? 0x04 : 0x0400));
        }
      }
      ImageIO.write(image, "jpg", directory.resolve(i + ".jpg").toFile());
    }
  }

  private static JsonObject json(CommandLineTest.Outcome outcome) {
    return JsonParser.parseString(outcome.out().lines().findFirst().orElseThrow())
        .getAsJsonObject();
  }

  private static CommandLineTest.Outcome evaluate(String... more) {
    String[] all = java.util.Arrays.copyOf(more, more.length + 5);
    System.arraycopy(
        new String[] {"evaluate", "--run", run.toString(), "--knn", "--json"},
        0,
        all,
        more.length,
        5);
    java.util.Collections.rotate(java.util.Arrays.asList(all), 5);
    CommandLineTest.Outcome outcome = CommandLineTest.swav(all);
    assertThat(outcome.status()).as(outcome.err()).isZero();
    return outcome;
  }

  @Test
  void theRunsFigureIsThatOfEvaluateWithTheSameNumbers() {
    CommandLineTest.Outcome outcome =
        evaluate("--train-images", "" + BANK, "--test-images", "" + TEST, "--neighbours", "5");
    assertThat(json(outcome).get("knn5").getAsDouble())
        .isEqualTo(json(training).get("knn_trained").getAsDouble());
    assertThat(outcome.err()).doesNotContain("the run's own");
  }

  @Test
  void rawPixelsAreJudgedAlikeByBoth() {
    CommandLineTest.Outcome outcome =
        evaluate(
            "--train-images",
            "" + BANK,
            "--test-images",
            "" + TEST,
            "--neighbours",
            "5",
            "--pixels");
    JsonObject pixels =
        JsonParser.parseString(outcome.out().lines().skip(1).findFirst().orElseThrow())
            .getAsJsonObject();
    assertThat(pixels.get("of").getAsString()).isEqualTo("pixels");
    assertThat(pixels.get("knn5").getAsDouble())
        .isEqualTo(json(training).get("knn_raw_pixels").getAsDouble());
  }

  @Test
  void whereNumbersDifferEvaluateSaysHowToHaveTheRunsFigure() {
    CommandLineTest.Outcome outcome = evaluate();
    assertThat(json(outcome).get("train_images").getAsInt()).isEqualTo(TRAIN);
    assertThat(outcome.err().lines().filter(line -> line.startsWith("the run's own")))
        .singleElement()
        .asString()
        .contains(
            "5 neighbours among 128 images, 120 test images: --neighbours 5 --train-images 128"
                + " gives");
  }

  @Test
  void aBatchOfItsOwnChangesTheLearningRateAndThatIsSaid() throws IOException {
    assertThat(training.err())
        .contains("learning rate 0.1: the preset's 0.2 for a batch of 64", "batch of 32; --lr");
    assertThat(Files.readString(run.resolve("config.json"))).contains("\"learningRate\": 0.1");
    CommandLineTest.Outcome resumed =
        CommandLineTest.swav("train", "--resume", run.toString(), "--batch", "32");
    assertThat(resumed.status()).as(resumed.err()).isZero();
    assertThat(resumed.err()).doesNotContain("learning rate");
  }
}
