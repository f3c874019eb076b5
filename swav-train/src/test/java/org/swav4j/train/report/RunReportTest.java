package org.swav4j.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

  @Test
  void anyReportIsWrittenAnewAfterEveryEpochWithTheEarlierOnes() throws IOException {
    ReportListener listener =
        new ReportListener(
            folder, RunReportTest::table, List.of(epoch(1, 3.5, 0.25)), 0.125, e -> {});
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
    List<Throwable> told = new ArrayList<>();
    List<Path> asked = new ArrayList<>();
    RunReport failing =
        (into, run) -> {
          asked.add(into);
          throw new IOException("disk full");
        };
    ReportListener listener = new ReportListener(folder, failing, List.of(), 0, told::add);
    listener.epoch(epoch(0, 1, 0));
    listener.epoch(epoch(1, 1, 0));
    assertThat(asked).containsExactly(folder);
    assertThat(told).singleElement().extracting(Throwable::getMessage).isEqualTo("disk full");
    assertThat(listener.epochs()).extracting(EpochMetrics::epoch).containsExactly(0, 1);
  }
}
