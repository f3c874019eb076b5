package org.swav4j.benchmarks.study;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One evaluation of one finished run, as a process {@code swav evaluate --json}. Begins anew if it
 * was interrupted.
 */
final class OneEvaluation implements Job {
  private final List<String> flags;
  private final Path folder;
  private final Path log;
  private final String version;
  private final SwavProcess process;

  /**
   * An evaluation of an experiment.
   *
   * @param evaluation its name, {@code ARM/WORD}
   * @param program folder of the launcher {@code swav}
   * @param work folder for the folders of runs
   * @param logs folder for what is kept
   */
  OneEvaluation(
      Experiment experiment,
      String evaluation,
      long seed,
      Path program,
      String version,
      Path work,
      Path logs) {
    String word = "." + Experiment.wordOf(evaluation);
    this.flags = experiment.evaluationFlags(evaluation, seed);
    this.folder = OneRun.folder(work, experiment, Experiment.armOf(evaluation), seed);
    this.log = logFile(logs, experiment, evaluation, seed);
    this.version = version;
    this.process =
        new SwavProcess(
            SwavProcess.swav(program),
            experiment.name() + "/" + folder.getFileName() + word,
            folder,
            word);
  }

  static Path logFile(Path logs, Experiment experiment, String evaluation, long seed) {
    return logs.resolve(experiment.name())
        .resolve(
            Experiment.armOf(evaluation)
                + "-"
                + seed
                + "."
                + Experiment.wordOf(evaluation)
                + ".json");
  }

  @Override
  public boolean isDone() throws IOException {
    if (!Files.exists(log)) {
      return false;
    }
    EvaluationLog.read(log, flags);
    return true;
  }

  /**
   * @throws IllegalArgumentException if the run's weights are no longer there
   */
  @Override
  public boolean run() throws IOException, InterruptedException {
    process.awaitPredecessor();
    if (process.stopped()) {
      return false;
    }
    if (!Files.exists(folder)) {
      throw new IllegalArgumentException(
          folder
              + " isn't there, expected the run that is to be evaluated: name the WORK folder that it"
              + " was made in, or delete its log to have it run again");
    }
    process.tell("begins");
    List<String> arguments = new ArrayList<>(List.of("evaluate", "--json", "--workers", "1"));
    arguments.addAll(List.of("--run", folder.toString()));
    arguments.addAll(flags);
    int status = process.run(arguments);
    List<String> results =
        Files.readAllLines(process.output()).stream().filter(l -> l.startsWith("{")).toList();
    if (status != 0 || results.size() != 1) {
      process.tell("ended with status " + status + " and no result, see " + process.output());
      return false;
    }
    EvaluationLog result = EvaluationLog.of(flags, version, results.get(0));
    result.write(log);
    process.tell(String.format(Locale.ROOT, "done, %.1f %%", 100 * result.fineTune()));
    return true;
  }

  @Override
  public void stop() {
    process.stop();
  }
}
