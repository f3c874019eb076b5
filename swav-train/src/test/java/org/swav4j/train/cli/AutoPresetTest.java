package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings that are chosen for the images, at the command line. */
class AutoPresetTest {
  @TempDir Path dir;

  @Test
  void isForImagesThatAreNotBuiltIn() {
    assertThat(AutoPreset.applies(null, Map.of("data", "folder:x"))).isTrue();
    assertThat(AutoPreset.applies(null, Map.of("data", "shapes:100"))).isFalse();
    assertThat(AutoPreset.applies(null, Map.of())).isFalse();
    assertThat(AutoPreset.applies("quick", Map.of("data", "folder:x"))).isFalse();
    assertThat(AutoPreset.applies("auto", Map.of())).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"2h, 120", "90min, 90", "1h30m, 90", "1H, 60", "120s, 2"})
  void aBudgetIsATime(String text, int minutes) {
    assertThat(AutoPreset.budget(text)).isEqualTo(Duration.ofMinutes(minutes));
  }

  @ParameterizedTest
  @ValueSource(strings = {"2", "h", "", "30s", "-2h", "1d"})
  void whatIsNoTimeIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AutoPreset.budget(text))
        .withMessageContaining("--budget is '" + text + "'")
        .withMessageContaining("90min");
  }

  private static Stream<String> lines(String text) {
    return text.lines();
  }

  @Test
  void doctorForetellsWhatWouldBeChosenAndTrainsNothing() throws IOException {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "doctor", "--data", "shapes:300", "--budget", "2min", "--crops", "2x24");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(lines(outcome.out()))
        .anyMatch(l -> l.matches("--batch 16: \\d+ images make \\d+ steps an epoch"))
        .anyMatch(l -> l.startsWith("--arch resnet"))
        .anyMatch(l -> l.matches("time: \\d+ min"))
        .anyMatch(l -> l.matches("memory: .*[GM]iB"));
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void doctorTakesWhatIsGivenAndSaysWhatFollows() {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "doctor",
            "--data=shapes:300",
            "--budget=2min",
            "--arch=resnet20",
            "--crops=2x16",
            "--batch=32");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(lines(outcome.out()))
        .noneMatch(l -> l.startsWith("--arch") || l.startsWith("--batch"))
        .anyMatch(l -> l.startsWith("--prototypes 30: a batch of 32"));
    CommandLineTest.Outcome without = CommandLineTest.swav("doctor", "--epochs", "3");
    assertThat(without.status()).isEqualTo(2);
    assertThat(without.err()).contains("--epochs").contains("--data SPEC").hasLineCount(1);
  }

  @Test
  void aChoiceThatTheFirstStepsRefuteIsChangedAndTheRunBeginsAgainAtMostTwice() throws IOException {
    CommandLineTest.Outcome wild =
        CommandLineTest.swav(
            "train",
            "--preset",
            "auto",
            "--budget",
            "2min",
            "--data",
            "shapes:600",
            "--out",
            dir.resolve("again").toString(),
            "--arch",
            "resnet20",
            "--width",
            "0.25",
            "--crops",
            "2x16",
            "--scales",
            "0.4-1",
            "--stem",
            "small",
            "--epochs",
            "2",
            "--start-lr",
            "2",
            "--eval-every",
            "0");
    assertThat(wild.status()).as(wild.err()).isZero();
    assertThat(wild.err())
        .containsSubsequence(
            "diverged: begins again with --lr 0.00625: the loss rose",
            "diverged: begins again with --lr 0.0015625: the loss rose");
    assertThat(wild.err().split("begins again", -1)).hasSize(3);
    assertThat(Files.readString(dir.resolve("again").resolve("config.json"))).contains("0.0015625");
  }
}
