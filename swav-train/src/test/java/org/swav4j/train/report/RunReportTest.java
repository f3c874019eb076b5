package org.swav4j.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.loop.EpochMetrics;

class RunReportTest {
  @TempDir Path folder;

  private static EpochMetrics epoch(int number, double loss, double knn) {
    return new EpochMetrics(
        number,
        10 * number,
        loss,
        loss / 2,
        100,
        0,
        FeatureQuality.UNKNOWN.withKnn(knn),
        EpochDiagnostics.UNKNOWN,
        "",
        List.of());
  }

  /** A report as an application might add it: one class, here one method. */
  private static void table(Path folder, RunRecord run) throws IOException {
    List<String> lines = new ArrayList<>(List.of("epoch,loss,knn,raw"));
    for (EpochMetrics e : run.epochs()) {
      lines.add(e.epoch() + "," + e.loss() + "," + e.knn() + "," + run.rawPixels());
    }
    Files.write(folder.resolve("epochs.csv"), lines);
  }

  /** Brings it to runs, those of this test only. */
  public static final class Provider implements ReportProvider {
    private static final AtomicBoolean WANTED = new AtomicBoolean();

    @Override
    public String file() {
      return "epochs.csv";
    }

    @Override
    public Optional<RunReport> report(ReportedRun run) {
      return WANTED.get() ? Optional.of(RunReportTest::table) : Optional.empty();
    }
  }

  private ReportListener brought(String tensorboard) {
    TrainingConfig config =
        Settings.change(Preset.QUICK.config(), Map.of("tensorboard", tensorboard));
    return ReportListener.of(
        folder,
        new ReportedRun(
            config, new RunData(8, 3, "", Optional.empty()), new Nd4jEngine(), () -> null),
        List.of(),
        0.125,
        (file, e) -> {
          throw new AssertionError(file, e);
        });
  }

  @Test
  void aReportOnTheClassPathIsWrittenBesideOurs() {
    assertThat(brought("false").files()).containsExactly("report.png", "report.html");
    assertThat(brought("true").files())
        .containsExactly("report.png", "report.html", "tensorboard/" + TensorBoardReport.FILE);
    Provider.WANTED.set(true);
    try {
      assertThat(brought("false").files()).containsOnly("report.png", "report.html", "epochs.csv");
    } finally {
      Provider.WANTED.set(false);
    }
  }

  @Test
  void anyReportIsWrittenAnewAfterEveryEpochWithTheEarlierOnes() throws IOException {
    ReportListener listener =
        new ReportListener(
            folder,
            Map.of("epochs.csv", RunReportTest::table),
            List.of(epoch(1, 3.5, 0.25)),
            0.125,
            (file, e) -> {});
    listener.epoch(epoch(2, 3, 0.5));
    assertThat(folder.resolve("epochs.csv"))
        .content()
        .isEqualToNormalizingNewlines("epoch,loss,knn,raw\n1,3.5,0.25,0.125\n2,3.0,0.5,0.125\n");
    listener.epoch(epoch(3, 2.5, 0.75));
    assertThat(Files.readAllLines(folder.resolve("epochs.csv")))
        .hasSize(4)
        .last()
        .isEqualTo("3,2.5,0.75,0.125");
  }

  @Test
  void aReportThatFailsIsToldOnceAndGivenUpWithoutHarmToTheRun() {
    List<String> told = new ArrayList<>();
    List<Path> asked = new ArrayList<>();
    RunReport failing =
        (into, run) -> {
          asked.add(into);
          throw new IOException("disk full");
        };
    Map<String, RunReport> reports = new LinkedHashMap<>();
    reports.put("failing.png", failing);
    reports.put("epochs.csv", RunReportTest::table);
    ReportListener listener =
        new ReportListener(
            folder, reports, List.of(), 0, (file, e) -> told.add(file + ": " + e.getMessage()));
    listener.epoch(epoch(0, 1, 0));
    listener.epoch(epoch(1, 1, 0));
    assertThat(asked).containsExactly(folder);
    assertThat(told).containsExactly("failing.png: disk full");
    assertThat(folder.resolve("epochs.csv")).as("the other report").content().hasLineCount(3);
    assertThat(listener.epochs()).extracting(EpochMetrics::epoch).containsExactly(0, 1);
  }
}
