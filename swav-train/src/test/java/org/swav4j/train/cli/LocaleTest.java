package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.Preset;

/**
 * What is printed and written is the same in every country: digits 0 to 9, a point before decimals.
 */
class LocaleTest {
  @TempDir static Path folder;

  private static List<String> expected;

  @BeforeAll
  static void inNoParticularCountry() throws IOException {
    SwavWeights.initialise(Preset.QUICK.config().network().with(3), 1)
        .withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25))
        .save(folder.resolve("weights.safetensors"));
    expected = outputs(Locale.ROOT);
  }

  /** What the commands print and write, one after the other, under a default locale. */
  private static List<String> outputs(Locale locale) throws IOException {
    String source = " --weights " + folder.resolve("weights.safetensors") + " --data shapes:60";
    Path features = folder.resolve("features.csv");
    List<String> commands =
        List.of(
            "train --help",
            "evaluate --linear-epochs 5 --neighbours 3" + source,
            "embed --out " + features + source);
    Locale before = Locale.getDefault();
    List<String> outputs = new ArrayList<>();
    Locale.setDefault(locale);
    try {
      for (String command : commands) {
        CommandLineTest.Outcome outcome = CommandLineTest.swav(command.split(" "));
        outputs.add(command + "\n" + withoutTimes(outcome.out() + outcome.err()));
      }
    } finally {
      Locale.setDefault(before);
    }
    outputs.add(Files.readString(features));
    return outputs;
  }

  /** Every number as {@code #}: those with other digits or another decimal mark stay. */
  private static String withoutTimes(String text) {
    return text.replaceAll("[0-9]+([.:][0-9]+)*", "#").replaceAll(" +", " ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG-u-nu-arab", "de-DE"})
  void nothingChangesInAnotherCountry(String tag) throws IOException {
    assertThat(outputs(Locale.forLanguageTag(tag))).containsExactlyElementsOf(expected);
  }

  @Test
  void theseCountriesWriteNumbersInOtherWays() {
    assertThat(String.format(Locale.forLanguageTag("ar-EG-u-nu-arab"), "%d", 12)).isEqualTo("١٢");
    assertThat(String.format(Locale.forLanguageTag("de-DE"), "%.1f", 0.5)).isEqualTo("0,5");
  }
}
