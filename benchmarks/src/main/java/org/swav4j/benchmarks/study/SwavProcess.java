package org.swav4j.benchmarks.study;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A process of {@code swav} or its peer, of one thread, about one run folder. What it prints goes
 * into a file beside that folder. {@link #stop} may be called from another thread.
 */
final class SwavProcess {
  private final List<String> launcher;
  private final String name;
  private final Path folder;
  private final String ending;
  private volatile boolean stopped;
  private volatile Process process;

  /**
   * A process that is not yet started.
   *
   * @param launcher the command, which its arguments follow
   * @param name that it is told by
   * @param folder of the run, which its arguments name
   * @param ending of its files beside the folder, that tells it from others about the same run
   */
  SwavProcess(List<String> launcher, String name, Path folder, String ending) {
    this.launcher = launcher;
    this.name = name;
    this.folder = folder;
    this.ending = ending;
  }

  /**
   * Waits for the process of a runner that was killed, which may still be at work: two at once
   * would spoil each other's files.
   */
  void awaitPredecessor() throws IOException {
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

  /** The launcher {@code swav} in that folder. */
  static List<String> swav(Path program) {
    return List.of(program.resolve("swav").toString());
  }

  /** Runs a command to its end and returns its exit status. */
  int run(List<String> arguments) throws IOException, InterruptedException {
    Files.createDirectories(folder.getParent());
    List<String> command = new ArrayList<>(launcher);
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("OMP_NUM_THREADS", "1");
    builder.environment().put("SWAV_THREADS", "1");
    builder.environment().putIfAbsent("SWAV_HEAP", "3g");
    builder.redirectErrorStream(true).redirectOutput(output().toFile());
    process = builder.start();
    Files.writeString(beside(".pid"), Long.toString(process.pid()));
    if (stopped) {
      process.destroy(); // asked to stop while it was being started
    }
    return process.waitFor();
  }

  /** Ends the process and keeps it from being started. */
  void stop() {
    stopped = true;
    Process running = process;
    if (running != null) {
      running.destroy();
    }
  }

  boolean stopped() {
    return stopped;
  }

  /** The file of what it prints. */
  Path output() {
    return beside(".out");
  }

  private Path beside(String kind) {
    return folder.resolveSibling(folder.getFileName() + ending + kind);
  }

  void tell(String what) {
    System.out.printf(Locale.ROOT, "%tT %s %s%n", System.currentTimeMillis(), name, what);
  }
}
