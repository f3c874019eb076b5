package org.swav4j.benchmarks.study;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * One arm with one seed, as a process {@code swav train} with a run folder of its own. Its log is
 * written when it has ended; one that is there is the result and is not run again.
 */
final class OneRun implements Job {
  /** What {@code swav train} says where numbers are no longer finite: a result, not a mishap. */
  private static final String DIVERGED = "training broke down at step";

  private final List<String> flags;
  private final String version;
  private final Path folder;
  private final Path log;
  private final SwavProcess process;

  /**
   * A run of an experiment.
   *
   * @param program folder of the launcher {@code swav}
   * @param work folder for the folders of runs
   * @param logs folder for what is kept
   */
  OneRun(
      Experiment experiment,
      String arm,
      long seed,
      Path program,
      String version,
      Path work,
      Path logs) {
    this.flags = experiment.flags(arm, seed);
    this.version = version;
    this.folder = folder(work, experiment, arm, seed);
    this.log = logFile(logs, experiment, arm, seed);
    this.process =
        new SwavProcess(
            SwavProcess.swav(program), experiment.name() + "/" + folder.getFileName(), folder, "");
  }

  static Path folder(Path work, Experiment experiment, String arm, long seed) {
    return work.resolve(experiment.name()).resolve(arm + "-" + seed).toAbsolutePath();
  }

  static Path logFile(Path logs, Experiment experiment, String arm, long seed) {
    return logs.resolve(experiment.name()).resolve(arm + "-" + seed + ".jsonl");
  }

  @Override
  public boolean isDone() throws IOException {
    return RunLog.isThere(log, flags, folder);
  }

  @Override
  public boolean run() throws IOException, InterruptedException {
    process.awaitPredecessor();
    if (process.stopped()) {
      return false;
    }
    boolean resumed = Files.exists(folder.resolve("checkpoint.safetensors"));
    if (!resumed) {
      delete(folder); // ended before its first checkpoint
    }
    process.tell(resumed ? "goes on" : "begins");
    int status = process.run(arguments(resumed));
    Optional<String> failure = failure(Files.readAllLines(process.output()));
    if (status != 0 && (process.stopped() || failure.isEmpty())) {
      process.tell("ended with status " + status + " and no result, see " + process.output());
      return false;
    }
    RunLog result = RunLog.of(flags, version, status == 0 ? Optional.empty() : failure, metrics());
    result.write(log);
    process.tell(
        String.format(
            Locale.ROOT,
            "%s, k-NN %.1f %%, %.0f s",
            result.failure().orElse("done"),
            100 * result.knn(),
            result.seconds()));
    return true;
  }

  /** Ends the process, which keeps its checkpoint, and keeps it from being started. */
  @Override
  public void stop() {
    process.stop();
  }

  private Path metrics() {
    return folder.resolve("metrics.jsonl");
  }

  private List<String> arguments(boolean resumed) {
    List<String> arguments = new ArrayList<>(List.of("train"));
    if (resumed) {
      arguments.addAll(List.of("--resume", folder.toString()));
    } else {
      arguments.addAll(List.of("--out", folder.toString(), "--workers", "1"));
      flags.forEach(flag -> arguments.add(fromEnvironment(flag, System::getenv)));
    }
    return arguments;
  }

  /**
   * The value of the variable that a word such as {@code $CIFAR10} names; other words as they are.
   */
  static String fromEnvironment(String word, UnaryOperator<String> environment) {
    if (!word.startsWith("$")) {
      return word;
    }
    String value = environment.apply(word.substring(1));
    if (value == null || value.isBlank()) {
      throw new IllegalArgumentException(
          "the environment variable "
              + word.substring(1)
              + " isn't set, expected what --data takes, such as folder:DIR");
    }
    return value;
  }

  private static Optional<String> failure(List<String> output) {
    return output.stream()
        .filter(line -> line.contains(DIVERGED))
        .map(line -> line.substring(line.indexOf(DIVERGED)))
        .reduce((first, last) -> last);
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
