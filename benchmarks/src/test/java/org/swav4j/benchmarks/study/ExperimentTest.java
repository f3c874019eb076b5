package org.swav4j.benchmarks.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.train.cli.SwavCommand;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;

class ExperimentTest {
  private static final String DESCRIPTION =
      """
      {"question": "?", "data": "shapes:9", "common": "--epochs 2",
       "arms": {"a": "--batch 16", "b": "--batch 32", "c": ""}, "seeds": [1, 2],
       "comparisons": [{"claim": "!", "measure": "range", "greater": ["a", "b"], "less": ["b", "c"]}]}
      """;

  @TempDir Path folder;

  @Test
  void flagsAreDataThenCommonThenTheArmsThenTheSeed() {
    assertThat(Experiment.parse("x", DESCRIPTION).flags("b", 2))
        .containsExactly("--data", "shapes:9", "--epochs", "2", "--batch", "32", "--seed", "2");
  }

  @Test
  void aPeersFlagsAreDataThenItsOwnThenTheSeedAndItsLogIsWhatItPrinted() throws IOException {
    Experiment experiment =
        Experiment.parse(
            "x", DESCRIPTION.replace("\"seeds\"", "\"peers\": {\"p\": \"--lr 1\"}, \"seeds\""));
    assertThat(experiment.arms().keySet()).containsExactly("a", "b", "c", "p");
    List<String> flags = experiment.flags("p", 2);
    assertThat(flags).containsExactly("--data", "shapes:9", "--lr", "1", "--seed", "2");
    List<String> printed =
        List.of(
            "a warning",
            """
            {"torch": "1.13", "epoch": 0, "step": 0, "loss": null, "seconds": 0.0, "knn20": 0.2}""",
            """
            {"torch": "1.13", "epoch": 2, "step": 8, "loss": 1.5, "seconds": 9.0, "knn20": 0.4}""");
    Path log = OneRun.logFile(folder, experiment, "p", 2);
    RunLog.ofPeer(flags, printed).write(log);
    RunLog read = RunLog.read(log);
    assertThat(read.version()).isEqualTo("PyTorch 1.13");
    assertThat(read.knn()).isEqualTo(0.4);
    assertThat(read.area()).isCloseTo(0.3, within(1e-12));
    assertThat(read.seconds()).isEqualTo(9);
    assertThat(new OnePeerRun(experiment, "p", 2, folder, folder, folder).isDone()).isTrue();
    assertThatThrownBy(() -> new OnePeerRun(experiment, "p", 1, folder, folder, folder).run())
        .hasMessageContaining("shapes:9")
        .hasMessageContaining("idx:DIR");
    assertThat(read.failure()).isEmpty();
    String diverged = printed.get(2).replace("1.5", "NaN");
    assertThat(RunLog.ofPeer(flags, List.of(printed.get(1), diverged)).failure().orElseThrow())
        .contains("epoch 2");
    assertThatThrownBy(() -> RunLog.ofPeer(flags, List.of("a warning")))
        .hasMessageContaining("no epoch");
  }

  @Test
  void misspelledKeysArmsAndMeasuresAreRefusedByName() {
    assertThatThrownBy(() -> Experiment.parse("x", DESCRIPTION.replace("question", "qestion")))
        .hasMessageContaining("qestion");
    assertThatThrownBy(() -> Experiment.parse("x", DESCRIPTION.replace("[\"b\"", "[\"d\"")))
        .hasMessageContaining("'d'");
    assertThatThrownBy(() -> Experiment.parse("x", DESCRIPTION.replace("range", "rnge")))
        .hasMessageContaining("'rnge'");
  }

  /** A flag or value that training refuses would only be found after hours. */
  @Test
  void trainingTakesTheFlagsOfEveryExperiment() throws IOException {
    try (var files = Files.list(Path.of("study", "experiments"))) {
      for (Path file : files.toList()) {
        Experiment experiment = Experiment.read(file);
        for (String evaluation : experiment.evaluations().keySet()) {
          evaluateTakes(experiment.evaluationFlags(evaluation, 1));
        }
        for (String arm : experiment.arms().keySet()) {
          List<String> flags = experiment.flags(arm, 1);
          if (experiment.peers().contains(arm)) {
            peerTakes(flags);
            continue;
          }
          Map<String, String> given = new LinkedHashMap<>();
          for (int i = 0; i < flags.size(); i += 2) {
            String name = flags.get(i).substring(2);
            assertThat(given.put(name, flags.get(i + 1)))
                .as("%s, %s: --%s twice", experiment.name(), arm, name)
                .isNull();
          }
          String preset = given.remove("preset");
          if (preset.equals("auto")) {
            assertThat(given.remove("budget")).matches("\\d+m");
            preset = Preset.PHOTOS.label();
          }
          Settings.change(Preset.of(preset).config(), given);
        }
      }
    }
  }

  private static void peerTakes(List<String> flags) throws IOException {
    String peer = Files.readString(Path.of("peer", "torch_swav.py"));
    for (int i = 0; i < flags.size(); i += 2) {
      assertThat(peer).contains("add_argument(\"" + flags.get(i) + "\"");
    }
  }

  /** All that it misses is the run. */
  private void evaluateTakes(List<String> flags) {
    Path missing = folder.resolve("no-such-run");
    List<String> arguments = new ArrayList<>(List.of("evaluate", "--run", missing.toString()));
    arguments.addAll(flags);
    StringWriter errors = new StringWriter();
    PrintWriter err = new PrintWriter(errors);
    SwavCommand.run(err, err, arguments.toArray(String[]::new));
    assertThat(errors.toString()).as("%s", flags).contains(missing.toString());
  }

  @Test
  void differencesArePairedOverSeedsThatAllArmsHave() throws IOException {
    Experiment experiment = Experiment.parse("x", DESCRIPTION);
    write(experiment, "a", 1, 0.5);
    write(experiment, "b", 1, 0.8);
    write(experiment, "c", 1, 0.7);
    write(experiment, "a", 2, 0.4); // b and c are missing
    Results results = Results.read(experiment, folder);
    PairedDifference difference = results.difference(experiment.comparisons().get(0)).orElseThrow();
    assertThat(difference.pairs()).isEqualTo(1);
    assertThat(difference.mean()).isCloseTo(0.3 - 0.1, within(1e-12)); // best less worst
  }

  @Test
  void aLogOfOtherFlagsIsNoResult() throws IOException {
    write(Experiment.parse("x", DESCRIPTION), "a", 1, 0.5);
    Experiment changed = Experiment.parse("x", DESCRIPTION.replace("--batch 16", "--batch 8"));
    OneRun run = new OneRun(changed, "a", 1, folder, "v", folder, folder);
    assertThatThrownBy(run::isDone)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--batch 16")
        .hasMessageContaining("--batch 8");
    assertThatThrownBy(() -> Results.read(changed, folder))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void dataIsNamedByTheEnvironment() {
    assertThat(OneRun.fromEnvironment("$CIFAR10", Map.of("CIFAR10", "folder:x")::get))
        .isEqualTo("folder:x");
    assertThat(OneRun.fromEnvironment("shapes", name -> null)).isEqualTo("shapes");
    assertThatThrownBy(() -> OneRun.fromEnvironment("$CIFAR10", name -> null))
        .hasMessageContaining("CIFAR10 isn't set");
  }

  @Test
  void theReportReplacesWhatItWroteAndKeepsTheRest() {
    String first = Report.insert("# Title\n\nBy hand.\n", "1-x", "table\n");
    assertThat(first).isEqualTo("# Title\n\nBy hand.\n\n<!-- 1-x -->\ntable\n<!-- /1-x -->\n");
    assertThat(Report.insert(first + "More.\n", "1-x", "other\n"))
        .isEqualTo("# Title\n\nBy hand.\n\n<!-- 1-x -->\nother\n<!-- /1-x -->\nMore.\n");
  }

  @Test
  void figuresWithoutLabelsAreRankedAgainstNeighboursWhereRunsAreEnough() throws IOException {
    Experiment experiment =
        Experiment.parse(
            "x", DESCRIPTION.replace("[1, 2]", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]"));
    for (int seed = 1; seed <= 11; seed++) {
      write(experiment, "a", seed, 0.5 + seed * seed / 1000.0, 10 + seed, 1 + seed / 100.0);
    }
    assertThat(Tables.of(Results.read(experiment, folder))).doesNotContain("Rank correlation");
    write(experiment, "a", 12, 0.9, 10.5, 1);
    assertThat(Tables.of(Results.read(experiment, folder)))
        // One of twelve out of place: 1 - 6 (11² + 11) / (12 (12² - 1)).
        .contains("over 12 runs (Spearman): RankMe +0.54, distance of alpha-ReQ from 1 +0.54.");
  }

  private void write(Experiment experiment, String arm, long seed, double knn) throws IOException {
    write(experiment, arm, seed, knn, Double.NaN, Double.NaN);
  }

  private void write(
      Experiment experiment, String arm, long seed, double knn, double rankMe, double alphaReq)
      throws IOException {
    RunLog.Epoch epoch = new RunLog.Epoch(1, 10, 1.5, 2, knn, 0.5, Double.NaN, rankMe, alphaReq);
    new RunLog(experiment.flags(arm, seed), "v", "m", Optional.empty(), List.of(epoch), Double.NaN)
        .write(OneRun.logFile(folder, experiment, arm, seed));
  }
}
