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
final class OneRun {
  /** What {@code swav train} says where numbers are no longer finite: a result, not a mishap. */
  private static final String DIVERGED = "training broke down at step";

  private final List<String> flags;
  private final String name;
  private final Path program;
  private final String version;
  private final Path folder;
  private final Path log;
  private volatile boolean stopped;
  private volatile Process process;

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
    this.name = experiment.name() + "/" + arm + "-" + seed;
    this.program = program;
    this.version = version;
    this.folder = work.resolve(name).toAbsolutePath();
    this.log = logFile(logs, experiment, arm, seed);
  }

  static Path logFile(Path logs, Experiment experiment, String arm, long seed) {
    return logs.resolve(experiment.name()).resolve(arm + "-" + seed + ".jsonl");
  }

  /**
   * Whether its log is there.
   *
   * @throws IllegalArgumentException if that is of other flags
   * @throws IOException if it can't be read
   */
  boolean isDone() throws IOException {
    if (!Files.exists(log)) {
      return false;
    }
    List<String> logged = RunLog.read(log).flags();
    if (!logged.equals(flags)) {
      throw new IllegalArgumentException(
          log
              + " was run with '"
              + String.join(" ", logged)
              + "', the experiment now says '"
              + String.join(" ", flags)
              + "': give the arm another name, or delete the log and the run's folder "
              + folder);
    }
    return true;
  }

  /**
   * Runs it, or what is left of it.
   *
   * @return whether there is a result: false if it was stopped, or could not be run
   */
  boolean run() throws IOException, InterruptedException {
    awaitPredecessor();
    if (stopped) {
      return false;
    }
    boolean resumed = Files.exists(folder.resolve("checkpoint.safetensors"));
    if (!resumed) {
      delete(folder); // ended before its first checkpoint
    }
    Path output = beside(".out");
    Files.createDirectories(folder.getParent());
    ProcessBuilder builder = new ProcessBuilder(command(resumed));
    builder.environment().put("OMP_NUM_THREADS", "1");
    builder.environment().put("SWAV_THREADS", "1");
    builder.environment().putIfAbsent("SWAV_HEAP", "3g");
    builder.redirectErrorStream(true).redirectOutput(output.toFile());
    tell(resumed ? "goes on" : "begins");
    process = builder.start();
    Files.writeString(beside(".pid"), Long.toString(process.pid()));
    if (stopped) {
      process.destroy(); // asked to stop while it was being started
    }
    int status = process.waitFor();
    Optional<String> failure = failure(Files.readAllLines(output));
    if (status != 0 && (stopped || failure.isEmpty())) {
      tell("ended with status " + status + " and no result, see " + output);
      return false;
    }
    RunLog result = RunLog.of(flags, version, status == 0 ? Optional.empty() : failure, metrics());
    result.write(log);
    tell(
        String.format(
            Locale.ROOT,
            "%s, k-NN %.1f %%, %.0f s",
            result.failure().orElse("done"),
            100 * result.knn(),
            result.seconds()));
    return true;
  }

  /** Ends the process, which keeps its checkpoint, and keeps it from being started. */
  void stop() {
    stopped = true;
    Process running = process;
    if (running != null) {
      running.destroy();
    }
  }

  private Path metrics() {
    return folder.resolve("metrics.jsonl");
  }

  private Path beside(String ending) {
    return folder.resolveSibling(folder.getFileName() + ending);
  }

  private List<String> command(boolean resumed) {
    List<String> command = new ArrayList<>(List.of(program.resolve("swav").toString(), "train"));
    if (resumed) {
      command.addAll(List.of("--resume", folder.toString()));
    } else {
      command.addAll(List.of("--out", folder.toString(), "--workers", "1"));
      flags.forEach(flag -> command.add(fromEnvironment(flag, System::getenv)));
    }
    return command;
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

  /**
   * A process of a runner that was killed may still be at work; two at once would be one folder.
   */
  private void awaitPredecessor() throws IOException {
    Path pid = beside(".pid");
    if (Files.exists(pid)) {
      ProcessHandle.of(Long.parseLong(Files.readString(pid).trim()))
          .filter(p -> p.info().commandLine().orElse("").contains(folder.toString()))
          .ifPresent(
              p -> {
                tell("is still run by process " + p.pid() + ", which is waited for");
                p.onExit().join();
              });
    }
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

  private void tell(String what) {
    System.out.printf(Locale.ROOT, "%tT %s %s%n", System.currentTimeMillis(), name, what);
  }
}
