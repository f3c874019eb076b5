package org.swav4j.benchmarks.study;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One arm that PyTorch trains, with one seed, as a process {@code torch_swav.py train} of one
 * thread. Begins anew if it was interrupted: the peer keeps no checkpoints.
 */
final class OnePeerRun implements Job {
  /** What {@code --data} begins with for files that the peer reads. */
  private static final String IDX = "idx:";

  private final List<String> flags;
  private final Path folder;
  private final Path log;
  private final SwavProcess process;

  /**
   * A run of an experiment.
   *
   * @param program folder of {@code torch_swav.py}
   * @param work folder beside whose runs its output goes
   * @param logs folder for what is kept
   */
  OnePeerRun(Experiment experiment, String arm, long seed, Path program, Path work, Path logs) {
    this.flags = experiment.flags(arm, seed);
    this.folder = OneRun.folder(work, experiment, arm, seed);
    this.log = OneRun.logFile(logs, experiment, arm, seed);
    this.process =
        new SwavProcess(
            List.of("/usr/bin/python3", program.resolve("torch_swav.py").toString()),
            experiment.name() + "/" + folder.getFileName(),
            folder,
            "");
  }

  @Override
  public boolean isDone() throws IOException {
    return RunLog.isThere(log, flags, folder);
  }

  /**
   * @throws IllegalArgumentException if the data are of another kind than the peer reads
   */
  @Override
  public boolean run() throws IOException, InterruptedException {
    process.awaitPredecessor();
    if (process.stopped()) {
      return false;
    }
    List<String> arguments = arguments();
    process.tell("begins");
    int status = process.run(arguments);
    if (status != 0) {
      process.tell("ended with status " + status + " and no result, see " + process.output());
      return false;
    }
    RunLog result = RunLog.ofPeer(flags, Files.readAllLines(process.output()));
    result.write(log);
    process.tell(
        String.format(
            Locale.ROOT, "done, k-NN %.1f %%, %.0f s", 100 * result.knn(), result.seconds()));
    return true;
  }

  @Override
  public void stop() {
    process.stop();
  }

  private List<String> arguments() {
    List<String> arguments = new ArrayList<>(List.of("train", "--threads", "1"));
    for (String flag : flags) {
      arguments.add(OneRun.fromEnvironment(flag, System::getenv));
    }
    int data = arguments.indexOf("--data") + 1;
    if (!arguments.get(data).startsWith(IDX)) {
      throw new IllegalArgumentException(
          "data are "
              + arguments.get(data)
              + ", expected idx:DIR, compressed files of a Fashion-MNIST: the peer reads no other");
    }
    arguments.set(data, arguments.get(data).substring(IDX.length()));
    return arguments;
  }
}
