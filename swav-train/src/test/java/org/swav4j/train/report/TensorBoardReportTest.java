package org.swav4j.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;

class TensorBoardReportTest {
  private static final double NAN = Double.NaN;

  @TempDir Path folder;
  private RunFolder run;
  private Path file;

  @BeforeEach
  void names() {
    run = new RunFolder(folder);
    file = folder.resolve("tensorboard").resolve("events.out.tfevents.swav4j");
  }

  /** Of two steps each. */
  private static EpochMetrics epoch(int number) {
    return number == 0
        ? new EpochMetrics(
            0,
            0,
            NAN,
            NAN,
            NAN,
            NAN,
            FeatureQuality.UNKNOWN.withKnn(0.125),
            EpochDiagnostics.UNKNOWN,
            "",
            List.of())
        : new EpochMetrics(
            number,
            2L * number,
            4.0 / number,
            0.75 / number,
            500 + number,
            0.01,
            new FeatureQuality(0.25, 7.5 * number, 1.25),
            new EpochDiagnostics(1.5, 2.5, 0.875, 0.0625, 0.75, 1),
            "healthy",
            List.of("be patient"));
  }

  /** An epoch as the log hears of it, and then the report. */
  private void train(MetricsLog log, ReportListener report, int number) {
    for (long step = 2L * (number - 1); number > 0 && step < 2L * number; step++) {
      log.step(new StepMetrics(number - 1, step, 4, 0.9, 0.5 / (step + 1), 0, 0.1, 0, List.of()));
    }
    log.epoch(epoch(number));
    report.epoch(epoch(number));
  }

  private ReportListener report(List<EpochMetrics> earlier) {
    return new ReportListener(
        folder,
        Map.of(TensorBoardReport.FILE, new TensorBoardReport()),
        earlier,
        NAN,
        (file, e) -> {
          throw new AssertionError(file, e);
        });
  }

  private void train(int from, int to, long completedSteps) {
    try (MetricsLog log = new MetricsLog(run.metrics(), completedSteps)) {
      ReportListener report = report(log.epochs());
      for (int number = from; number <= to; number++) {
        train(log, report, number);
      }
    }
  }

  private List<Long> steps() throws IOException {
    List<EventFile.Event> events = EventFile.read(file);
    return events.subList(1, events.size()).stream().map(EventFile.Event::step).toList();
  }

  @Test
  void everyNumberOfTheLogIsAScalarAtItsStepAndTime() throws IOException {
    train(0, 3, 0);
    List<EventFile.Event> events = EventFile.read(file);
    assertThat(events.get(0).version()).isEqualTo("brain.Event:2");
    assertThat(events.get(0).scalars()).isEmpty();
    List<JsonObject> lines =
        MetricsLog.entries(run.metrics()).stream()
            .filter(e -> e.get("kind").getAsString().equals("epoch"))
            .toList();
    assertThat(events).hasSize(1 + lines.size());
    for (int i = 0; i < lines.size(); i++) {
      EventFile.Event event = events.get(1 + i);
      JsonObject line = lines.get(i);
      Map<String, Float> expected = new TreeMap<>();
      line.entrySet().stream()
          .filter(e -> !List.of("kind", "step", "time", "health", "advice").contains(e.getKey()))
          .forEach(e -> expected.put(e.getKey(), e.getValue().getAsFloat()));
      if (i > 0) {
        expected.put("lr", (float) (0.5 / (2 * i)));
      }
      assertThat(event.step()).isEqualTo(2 * i);
      assertThat(new TreeMap<>(event.scalars())).isEqualTo(expected);
      assertThat(Math.round(1000 * event.wallTime()))
          .isEqualTo(Instant.parse(line.get("time").getAsString()).toEpochMilli());
    }
    assertThat(events.get(1).scalars())
        .containsOnly(Map.entry("epoch", 0f), Map.entry("knn", 0.125f));
    assertThat(events.get(4).scalars()).containsEntry("rankme", 22.5f).hasSize(15);
  }

  /** The length of the first record and its checksum, as TensorFlow writes them. */
  @Test
  void theFileBeginsAsThoseOfTensorFlow() throws IOException {
    train(0, 0, 0);
    assertThat(HexFormat.of().formatHex(Files.readAllBytes(file), 0, 12))
        .isEqualTo("1800000000000000a37f4b22");
  }

  @Test
  void whoHasReadToTheEndReadsOnAfterTheNextEpoch() throws IOException {
    try (MetricsLog log = new MetricsLog(run.metrics(), 0)) {
      ReportListener report = report(List.of());
      train(log, report, 0);
      train(log, report, 1);
      try (InputStream open = Files.newInputStream(file)) {
        assertThat(EventFile.read(open.readAllBytes())).hasSize(3);
        train(log, report, 2);
        assertThat(EventFile.read(open.readAllBytes()))
            .singleElement()
            .extracting(EventFile.Event::step)
            .isEqualTo(4L);
      }
    }
  }

  @Test
  void aResumedRunHasOneFileWithEveryEpochOnce() throws IOException {
    train(0, 3, 0);
    byte[] before = Files.readAllBytes(file);
    train(3, 5, 4); // the third epoch had been done after the last checkpoint
    assertThat(steps()).containsExactly(0L, 2L, 4L, 6L, 8L, 10L);
    assertThat(Files.readAllBytes(file)).startsWith(java.util.Arrays.copyOf(before, 60));
    assertThat(file.getParent().toFile().list()).containsExactly(file.getFileName().toString());
  }

  @Test
  void aRecordThatWasCutOffIsCompleted() throws IOException {
    train(0, 2, 0);
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(whole, whole.length - 7));
    train(3, 3, 4);
    assertThat(Files.readAllBytes(file)).startsWith(whole);
    assertThat(steps()).containsExactly(0L, 2L, 4L, 6L);
  }

  @Test
  void withoutALogTheTimeIsThatOfWriting() throws IOException {
    long before = System.currentTimeMillis();
    new TensorBoardReport().write(folder, new RunRecord(List.of(epoch(0), epoch(1)), NAN));
    long after = System.currentTimeMillis();
    assertThat(EventFile.read(file))
        .allSatisfy(e -> assertThat(Math.round(1000 * e.wallTime())).isBetween(before, after));
    assertThat(steps()).containsExactly(0L, 2L);
    assertThat(EventFile.read(file).get(2).scalars())
        .containsEntry("loss_share", 0.75f)
        .doesNotContainKey("lr");
  }
}
