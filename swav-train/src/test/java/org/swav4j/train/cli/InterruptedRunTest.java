package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.run.CheckpointFile;

/** Training in a JVM of its own that is stopped, killed, or runs out of room. */
class InterruptedRunTest {
  private static final int STEPS_PER_EPOCH = 4;
  private static final int EPOCHS = 18;
  private static final long PATIENCE_SECONDS = 120;

  @TempDir static Path folder;

  private static Path uninterrupted;

  /** A run of some seconds that can't come to its end before it is interrupted. */
  private static String[] train(Path run, String... more) {
    List<String> all =
        new java.util.ArrayList<>(
            List.of(
                "train --data shapes:32 --batch 8 --prototypes 8 --hidden 32 --dim 512 --width 0.25"
                    .split(" ")));
    all.addAll(List.of("--eval-every", "0", "--epochs", "" + EPOCHS, "--out", run.toString()));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @BeforeAll
  static void withoutInterruption() {
    uninterrupted = folder.resolve("uninterrupted");
    CommandLineTest.Outcome outcome = CommandLineTest.swav(train(uninterrupted));
    assertThat(outcome.status()).as(outcome.err()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "KILL, 137"})
  void aRunEndedByASignalGoesOnFromItsCheckpointToTheSameWeights(String signal, int status)
      throws IOException, InterruptedException {
    assumeTrue(OtherProcess.succeeds("sh", "-c", "kill -l"), "signals are sent by a shell's kill");
    assumeFalse(
        signal.equals("INT") && OtherProcess.ignoresInterrupts(),
        "whoever started the tests lets their processes ignore Ctrl-C, as nohup does");
    Path run = folder.resolve(signal);
    Process process = OtherProcess.start(folder, signal, OtherProcess.command(train(run)));
    awaitSecondEpoch(process, folder.resolve(signal + ".out"));
    assertThat(OtherProcess.succeeds("sh", "-c", "kill -" + signal + " " + process.pid())).isTrue();
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();

    assertThat(process.exitValue()).isEqualTo(status);
    long step = CheckpointFile.read(run.resolve("checkpoint.safetensors")).step();
    assertThat(step).isBetween((long) STEPS_PER_EPOCH, (long) STEPS_PER_EPOCH * EPOCHS - 1);
    if (!signal.equals("KILL")) {
      assertThat(folder.resolve(signal + ".err"))
          .content()
          .contains("stopped after step " + step, "--resume " + run)
          .doesNotContain("plot");
      assertThat(ImageIO.read(run.resolve("report.png").toFile())).isNotNull();
    }

    CommandLineTest.Outcome resumed = CommandLineTest.swav("train", "--resume", run.toString());
    assertThat(resumed.status()).as(resumed.err()).isZero();
    assertThat(steps(run))
        .as("every step once")
        .containsExactlyElementsOf(
            LongStream.range(0, (long) STEPS_PER_EPOCH * EPOCHS).boxed().toList());
    assertThat(run.resolve("weights.safetensors"))
        .hasSameBinaryContentAs(uninterrupted.resolve("weights.safetensors"));
  }

  @Test
  void aCheckpointForWhichThereIsNoRoomLeavesTheOneBefore()
      throws IOException, InterruptedException {
    assumeTrue(OtherProcess.succeeds("bash", "-c", "ulimit -f 1024"), "needs bash for ulimit");
    Path run = folder.resolve("full");
    // The queue starts after the first epoch, and with its 2 MB the checkpoint passes the limit.
    List<String> command =
        OtherProcess.withFileLimit(
            1024,
            OtherProcess.command(
                train(run, "--queue", "512", "--queue-start", "1", "--freeze", "0")));
    Process process = OtherProcess.start(folder, "full", command);
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();

    String err = Files.readString(folder.resolve("full.err"));
    assertThat(process.exitValue()).as(err).isEqualTo(SwavCommand.FAILURE);
    assertThat(err.lines().filter(line -> line.startsWith("swav: ")))
        .hasSize(1)
        .first()
        .asString()
        .contains("checkpoint.safetensors", "limit on the size of files", "unchanged");
    assertThat(CheckpointFile.read(run.resolve("checkpoint.safetensors")).step())
        .isEqualTo(STEPS_PER_EPOCH);
    assertThat(SwavWeights.load(run.resolve("weights.safetensors")).config().prototypes())
        .isEqualTo(8);
    assertThat(run.toFile().list()).noneMatch(name -> name.endsWith(".part"));
  }

  private static void awaitSecondEpoch(Process process, Path out)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!Files.readString(out).contains("epoch 2/")) {
      assertThat(process.isAlive()).as("ended by itself").isTrue();
      assertThat(System.nanoTime()).as("no second epoch").isLessThan(end);
      Thread.sleep(20);
    }
  }

  private static List<Long> steps(Path run) throws IOException {
    return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .filter(entry -> entry.get("kind").getAsString().equals("step"))
        .map(entry -> entry.get("step").getAsLong())
        .toList();
  }
}
