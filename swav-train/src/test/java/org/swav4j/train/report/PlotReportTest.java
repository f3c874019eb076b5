package org.swav4j.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.loop.EpochMetrics;

class PlotReportTest {
  @TempDir Path folder;

  private static EpochMetrics epoch(int number) {
    return new EpochMetrics(
        number,
        10L * number,
        4.0 / number,
        0.9 / number,
        500,
        0.01,
        FeatureQuality.UNKNOWN.withKnn(0.1 * number),
        new EpochDiagnostics(1.5, 4.0 / number - 1.5, 0.9, 0.05, 0.8, 1),
        "healthy",
        List.of());
  }

  /** The picture drawn under a default locale. */
  private byte[] picture(Locale locale) throws IOException {
    Locale before = Locale.getDefault();
    Locale.setDefault(locale);
    try {
      new PlotReport().write(folder, new RunRecord(List.of(epoch(1), epoch(2)), 0.35));
    } finally {
      Locale.setDefault(before);
    }
    return Files.readAllBytes(folder.resolve(PlotReport.FILE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG-u-nu-arab", "de-DE"})
  void thePictureIsTheSameInAnotherCountry(String tag) throws IOException {
    assertThat(picture(Locale.forLanguageTag(tag))).isEqualTo(picture(Locale.ROOT));
  }
}
