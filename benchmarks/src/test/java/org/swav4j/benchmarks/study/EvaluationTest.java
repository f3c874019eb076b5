package org.swav4j.benchmarks.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What is measured of finished runs; {@code swav} is a script that tells what it was asked. */
@DisabledOnOs(OS.WINDOWS)
class EvaluationTest {
  private static final String DESCRIPTION =
      """
      {"question": "?", "data": "shapes:9", "common": "", "arms": {"a": ""},
       "evaluate": {"a/few": "--fine-tune --labels 0.1", "a/none": "--fine-tune --from-scratch"},
       "seeds": [1, 2],
       "comparisons":
         [{"claim": "!", "measure": "fine_tune", "greater": ["a/few"], "less": ["a/none"]}]}
      """;

  @TempDir Path folder;
  private final Experiment experiment = Experiment.parse("x", DESCRIPTION);
  private Path program;
  private Path work;
  private Path logs;

  @BeforeEach
  void folders() throws IOException {
    program = Files.createDirectories(folder.resolve("program"));
    work = folder.resolve("work");
    logs = folder.resolve("logs");
  }

  /** Answers with this text and status, and keeps the arguments of each call as a line. */
  private void swav(String answer, int status) throws IOException {
    Path script = program.resolve("swav");
    Files.writeString(
        script,
        "#!/bin/sh\necho \"$*\" >> '%s'\necho '%s'\nexit %d\n"
            .formatted(folder.resolve("calls"), answer, status));
    assertThat(script.toFile().setExecutable(true)).isTrue();
  }

  private List<String> calls() throws IOException {
    Path calls = folder.resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  private OneEvaluation evaluation(Experiment of, String name, long seed) {
    return new OneEvaluation(of, name, seed, program, "v", work, logs);
  }

  private static String found(double accuracy) {
    return "{\"command\":\"evaluate\",\"linear\":NaN,\"fine_tune\":" + accuracy + "}";
  }

  private void writeRun(long seed) throws IOException {
    RunLog.Epoch epoch =
        new RunLog.Epoch(1, 10, 1.5, 2, 0.5, 0.5, Double.NaN, Double.NaN, Double.NaN);
    new RunLog(experiment.flags("a", seed), "v", "m", Optional.empty(), List.of(epoch), Double.NaN)
        .write(OneRun.logFile(logs, experiment, "a", seed));
  }

  @Test
  void anEvaluationIsOfItsRunAndSeedAndIsDoneOnce() throws Exception {
    Path run = Files.createDirectories(OneRun.folder(work, experiment, "a", 2));
    swav("a remark\n" + found(0.25), 0);
    assertThat(evaluation(experiment, "a/few", 2).isDone()).isFalse();
    assertThat(evaluation(experiment, "a/few", 2).run()).isTrue();
    assertThat(calls())
        .containsExactly(
            "evaluate --json --workers 1 --run " + run + " --fine-tune --labels 0.1 --seed 2");
    assertThat(evaluation(experiment, "a/few", 2).isDone()).isTrue();
    assertThat(evaluation(experiment, "a/few", 1).isDone()).isFalse();
    assertThat(evaluation(experiment, "a/none", 2).isDone()).isFalse();
    Experiment changed = Experiment.parse("x", DESCRIPTION.replace("0.1", "0.2"));
    assertThatThrownBy(() -> evaluation(changed, "a/few", 2).isDone())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--labels 0.1")
        .hasMessageContaining("--labels 0.2");
  }

  @Test
  void whatFailedOrWasStoppedLeavesNoLogAndWithoutItsRunNothingIsAsked() throws Exception {
    swav(found(0.25), 0);
    assertThatThrownBy(() -> evaluation(experiment, "a/few", 1).run())
        .hasMessageContaining("a-1 isn't there");
    Files.createDirectories(OneRun.folder(work, experiment, "a", 1));
    OneEvaluation stopped = evaluation(experiment, "a/few", 1);
    stopped.stop();
    assertThat(stopped.run()).isFalse();
    assertThat(calls()).isEmpty();
    swav(found(0.25), 1);
    assertThat(evaluation(experiment, "a/few", 1).run()).isFalse();
    swav("no figures", 0);
    assertThat(evaluation(experiment, "a/few", 1).run()).isFalse();
    assertThat(calls()).hasSize(2);
    assertThat(evaluation(experiment, "a/few", 1).isDone()).isFalse();
  }

  @Test
  void differencesOfEvaluationsArePairedOverSeedsOfRunsThatAreThere() throws Exception {
    for (long seed : experiment.seeds()) {
      Files.createDirectories(OneRun.folder(work, experiment, "a", seed));
      for (String name : experiment.evaluationsOf("a")) {
        swav(found(name.equals("a/few") ? 0.5 + seed / 10.0 : 0.25), 0);
        assertThat(evaluation(experiment, name, seed).run()).isTrue();
      }
    }
    writeRun(1); // the other's was deleted, to be made again
    Results results = Results.read(experiment, logs);
    PairedDifference difference = results.difference(experiment.comparisons().get(0)).orElseThrow();
    assertThat(difference.pairs()).isEqualTo(1);
    assertThat(difference.mean()).isCloseTo(0.6 - 0.25, within(1e-12));
    assertThat(Tables.of(results))
        .contains("| ! | fine_tune | +35.00 | 1 |")
        .contains("| a/few | 60.0 | 60.0 |\n| a/none | 25.0 | 25.0 |");
    writeRun(2);
    results = Results.read(experiment, logs);
    assertThat(results.difference(experiment.comparisons().get(0)).orElseThrow().pairs())
        .isEqualTo(2);
  }

  @Test
  void evaluationsOfNoArmAndMeasuresOfTheOtherKindAreRefused() {
    for (String name : List.of("few", "b/few", "a/", "a/b/c")) {
      assertThatThrownBy(() -> Experiment.parse("x", DESCRIPTION.replace("a/few", name)))
          .hasMessageContaining("evaluation '" + name + "'")
          .hasMessageContaining("ARM/WORD");
    }
    assertThatThrownBy(() -> Experiment.parse("x", DESCRIPTION.replace("\"fine_tune\"", "\"knn\"")))
        .hasMessageContaining("'a/few'");
    assertThatThrownBy(() -> Experiment.parse("x", DESCRIPTION.replace("[\"a/few\"]", "[\"a\"]")))
        .hasMessageContaining("'a'");
  }
}
