package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.train.config.Preset;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingException;
import org.swav4j.train.report.PlotReport;
import org.swav4j.train.report.RunRecord;
import org.swav4j.train.report.TensorBoardReport;
import org.swav4j.train.run.CheckpointFile;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;

class RunFilesTest {
  @TempDir Path dir;

  private static EpochMetrics epoch(int epoch, long step, double knn) {
    double nan = Double.NaN;
    return epoch == 0
        ? new EpochMetrics(
            0,
            0,
            nan,
            nan,
            nan,
            nan,
            FeatureQuality.UNKNOWN.withKnn(knn),
            EpochDiagnostics.UNKNOWN,
            "",
            List.of("it can't", "b"))
        : new EpochMetrics(
            epoch,
            step,
            4.0 / epoch,
            0.9 / epoch,
            500,
            0.01,
            new FeatureQuality(knn, 7.5 * epoch, 1.25),
            new EpochDiagnostics(1.5, 4.0 / epoch - 1.5, 0.9, 0.05, 0.8, 1),
            "healthy",
            List.of());
  }

  private static StepMetrics step(int epoch, long step) {
    return new StepMetrics(epoch, step, 4.25, 0.92, 0.1, 0, 0.05, 0.001, List.of());
  }

  @Test
  void metricsOfStepsAfterTheCheckpointAreTakenBackOnResume() throws IOException {
    Path file = dir.resolve("metrics.jsonl");
    try (MetricsLog log = new MetricsLog(file, 0)) {
      log.epoch(epoch(0, 0, 0.3));
      log.step(step(0, 0));
      log.step(step(0, 1));
      log.epoch(epoch(1, 2, 0.4));
      log.step(step(1, 2));
    }
    Files.writeString(file, Files.readString(file) + "{\"kind\":\"st"); // cut off by a crash
    try (MetricsLog log = new MetricsLog(file, 2)) {
      log.step(step(1, 2));
      log.epoch(epoch(2, 3, 0.5));
    }
    assertThat(Files.readAllLines(file)).hasSize(6);
    assertThat(MetricsLog.epochs(file))
        .containsExactly(epoch(0, 0, 0.3), epoch(1, 2, 0.4), epoch(2, 3, 0.5));
  }

  @Test
  void theFirstStepAndThoseThatWereJudgedAreReadBack() throws IOException {
    StepMetrics stretch = step(0, 49).withStretch("uniform");
    StepMetrics advised = step(1, 60).withAdvice(List.of("diverged: \"so\""));
    try (MetricsLog log = new MetricsLog(dir.resolve("metrics.jsonl"), 0)) {
      for (StepMetrics step : List.of(step(0, 0), step(0, 1), stretch, advised)) {
        log.step(step);
      }
      log.epoch(epoch(1, 78, 0.4));
      assertThat(log.judgedSteps()).containsExactly(step(0, 0), stretch, advised);
    }
  }

  @Test
  void unknownNumbersAreLeftOutOfTheMetrics() throws IOException {
    Path file = dir.resolve("metrics.jsonl");
    try (MetricsLog log = new MetricsLog(file, 0)) {
      log.epoch(epoch(0, 0, Double.NaN));
    }
    assertThat(Files.readString(file))
        .matches(
            "\\{\"kind\":\"epoch\",\"epoch\":0,\"step\":0,\"advice\":\\[\"it can't\",\"b\"\\],\"time\":\"[^\"]+Z\"\\}\n");
  }

  @Test
  void metricsWrittenBeforeHealthWasKnownAreStillRead() throws IOException {
    Path file = dir.resolve("metrics.jsonl");
    Files.writeString(
        file,
        "{\"kind\":\"epoch\",\"epoch\":1,\"step\":156,\"loss\":4.25,\"loss_share\":1.5,"
            + "\"images_per_s\":210.5,\"wait_share\":0.25,\"knn\":0.5}\n");
    assertThat(MetricsLog.epochs(file))
        .containsExactly(
            new EpochMetrics(
                1,
                156,
                4.25,
                1.5,
                210.5,
                0.25,
                FeatureQuality.UNKNOWN.withKnn(0.5),
                EpochDiagnostics.UNKNOWN,
                "",
                List.of()));
  }

  @Test
  void theBarTakesWhatTheTextLeavesOfTheWidth() {
    String text = "epoch 1/6  3:46 left";
    assertThat(ProgressListener.render(0.5, text, 34)).isEqualTo("[=====     ]  " + text);
    assertThat(ProgressListener.render(1, text, 27)).isEqualTo(text + " ".repeat(7));
    assertThat(ProgressListener.render(0, text, 9)).isEqualTo("epoch 1/6");
    assertThat(ProgressListener.render(0.25, text, 80))
        .hasSize(80)
        .startsWith("[==========" + " ".repeat(30) + "]  epoch");
  }

  @Test
  void aTerminalBreaksLinesBetweenWordsAndKeepsPathsWhole() {
    String lf = System.lineSeparator();
    assertThat(Terminal.fold("epoch 1/5  loss 4.000  fine", 80))
        .isEqualTo("epoch 1/5  loss 4.000  fine");
    assertThat(Terminal.fold("take a lower rate in /a/long/path/of/no/use than now", 16))
        .isEqualTo(
            "take a lower"
                + lf
                + "  rate in"
                + lf
                + "  /a/long/path/of/no/use"
                + lf
                + "  than now");
  }

  @Test
  void adviceIsPrintedBesideTheEpochsLine() {
    StringWriter lines = new StringWriter();
    StringWriter notes = new StringWriter();
    EpochMetrics known = epoch(1, 2, 0.5);
    RunSizes plan = RunSizes.of(Preset.QUICK.config(), 1000);
    try (ProgressListener progress =
        new ProgressListener(new PrintWriter(lines), new PrintWriter(notes), false)) {
      progress.started(plan);
      progress.epoch(epoch(0, 0, 0.25));
      progress.epoch(
          new EpochMetrics(
              1,
              2,
              4,
              0.9,
              500,
              0,
              FeatureQuality.UNKNOWN.withKnn(0.5),
              known.health(),
              "slow",
              List.of("take a lower `learningRate`")));
    }
    assertThat(lines.toString().lines())
        .containsExactly(
            "untrained  k-NN 25.0 %",
            "epoch 1/"
                + plan.epochs()
                + "  loss 4.000 (0.90 ln K)  spread 0.80  500 images/s  k-NN 50.0 %  slow");
    assertThat(notes.toString().lines())
        .as("what the settings foretell was printed before training")
        .containsExactly("advice: take a lower --lr");
  }

  @Test
  void anEpochsLineFitsA100Columns() {
    EpochMetrics longest =
        new EpochMetrics(
            200,
            1_000_000,
            7.654,
            0.956,
            12_345,
            0.12,
            new FeatureQuality(0.345, 234.5, 1.2),
            new EpochDiagnostics(1.5, 6.154, 0.9, 0.05, 0.8, 1),
            "unnormalised",
            List.of());
    assertThat(ProgressListener.line(longest, 200))
        .isEqualTo(
            "epoch 200/200  loss 7.654 (0.96 ln K)  spread 0.80  12345 images/s"
                + "  k-NN 34.5 %  unnormalised")
        .hasSizeLessThan(100);
    assertThat(
            ProgressListener.line(
                longest.withFeatures(new FeatureQuality(Double.NaN, 234.5, 1.2)), 200))
        .as("without labels")
        .endsWith("images/s  RankMe 234.5  unnormalised")
        .hasSizeLessThan(100);
  }

  @Test
  void reportIsAPictureOfTheStatedSize() throws IOException {
    Path png = dir.resolve("report.png");
    new PlotReport()
        .write(
            dir,
            new RunRecord(List.of(epoch(0, 0, 0.3), epoch(1, 2, 0.4), epoch(2, 4, 0.5)), 0.35));
    var image = ImageIO.read(png.toFile());
    assertThat(image.getWidth()).isEqualTo(900);
    assertThat(image.getHeight()).isEqualTo(840);
    assertThat(dir.toFile().list()).as("nothing half-written stays").containsExactly("report.png");
  }

  @Test
  void aFolderThatHoldsARunIsNotOverwritten() {
    RunFolder run = RunFolder.create(dir.resolve("run"));
    run.write(Preset.QUICK.config());
    assertThat(RunFolder.existing(run.directory()).readConfig()).isEqualTo(Preset.QUICK.config());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RunFolder.create(run.directory()))
        .withMessageContaining("ended before its first checkpoint")
        .withMessageContaining("`outputFolder`");
    CheckpointFile.write(run.checkpoint(), checkpoint());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RunFolder.create(run.directory()))
        .withMessageContaining("already holds a run")
        .withMessageContaining("`resume`");
  }

  @Test
  void aRunThatIsTakenBackLeavesItsFolderFree() throws IOException {
    RunFolder run = RunFolder.create(dir.resolve("run"));
    run.write(Preset.QUICK.config());
    new TensorBoardReport()
        .write(run.directory(), new RunRecord(List.of(epoch(0, 0, 0.3)), Double.NaN));
    assertThat(run.tensorboard()).isNotEmptyDirectory();
    run.discard();
    assertThat(run.directory()).doesNotExist();
  }

  @Test
  void aFolderThatCantBeMadeIsAnErrorBeforeTraining() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "");
    assertThatThrownBy(() -> RunFolder.create(file.resolve("run")))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("can't be kept in")
        .hasMessageContaining("`outputFolder`");
  }

  @Test
  void anUnwritableFolderIsAnErrorBeforeTraining() {
    Path closed = dir.resolve("closed");
    assertThat(closed.toFile().mkdir()).isTrue();
    assertThat(closed.toFile().setWritable(false)).isTrue();
    assumeFalse(Files.isWritable(closed), "the superuser may write everywhere");
    assertThatThrownBy(() -> RunFolder.create(closed))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("permission denied");
  }

  @Test
  void missingRunsAndEditedConfigurationsAreNamed() throws IOException {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RunFolder.existing(dir.resolve("none")))
        .withMessageContaining("no run folder");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RunFolder.existing(dir))
        .withMessageContaining("holds no config.json");
    RunFolder run = new RunFolder(dir);
    run.write(Preset.QUICK.config());
    Files.writeString(
        run.config(),
        Files.readString(run.config()).replaceAll("\"epsilon\": *[0-9.]+", "\"epsilon\": 0"));
    assertThatThrownBy(run::readConfig)
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("`epsilon` is 0.0");
    Files.writeString(run.config(), "{]");
    assertThatThrownBy(run::readConfig)
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("it is not JSON");
  }

  private Checkpoint checkpoint() {
    INDArray w = Nd4j.rand(3, 2).castTo(org.nd4j.linalg.api.buffer.DataType.FLOAT);
    return new Checkpoint(
        Preset.QUICK.config(),
        1000,
        3,
        "0123456789abcdef",
        17,
        1.0 / 3,
        Double.NaN,
        Map.of("conv1.weight", w),
        Map.of("bn1.running_mean", w.dup()),
        Map.of("conv1.weight", w.mul(2)),
        Map.of("pushes", Nd4j.createFromArray(3L, 4L)),
        Map.of("conv1.weight", w.mul(0.5)));
  }

  @Test
  void checkpointComesBackBitForBit() {
    Path file = dir.resolve("checkpoint.safetensors");
    Checkpoint written = checkpoint();
    CheckpointFile.write(file, written);
    Checkpoint read = CheckpointFile.read(file);
    assertThat(read.config()).isEqualTo(written.config());
    assertThat(read.data()).isEqualTo("0123456789abcdef");
    assertThat(read.step()).isEqualTo(17);
    assertThat(read.lossSum()).isEqualTo(1.0 / 3);
    assertThat(read.rawPixels()).isNaN();
    assertThat(read.parameters().get("conv1.weight").data().asFloat())
        .isEqualTo(written.parameters().get("conv1.weight").data().asFloat());
    assertThat(read.momentum()).containsOnlyKeys("conv1.weight");
    assertThat(read.statistics()).containsOnlyKeys("bn1.running_mean");
    assertThat(read.method().get("pushes").toLongVector()).containsExactly(3, 4);
  }

  @Test
  void aCheckpointCutInHalfIsRefusedInOneLine() throws IOException {
    Path file = dir.resolve("checkpoint.safetensors");
    CheckpointFile.write(file, checkpoint());
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
    assertThatThrownBy(() -> CheckpointFile.read(file))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("the checkpoint can't be used")
        .satisfies(e -> assertThat(SwavCommand.describe(e).lines()).hasSize(1));
  }

  @Test
  void whatIsNoCheckpointIsRefused() throws IOException {
    assertThatThrownBy(() -> CheckpointFile.read(dir.resolve("none")))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("there is no checkpoint");
    Path weights = dir.resolve("weights.safetensors");
    org.swav4j.model.SafeTensors.write(weights, Map.of("w", Nd4j.ones(2)), Map.of());
    assertThatThrownBy(() -> CheckpointFile.read(weights))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("is no checkpoint");
  }
}
