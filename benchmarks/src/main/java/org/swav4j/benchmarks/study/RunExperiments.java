package org.swav4j.benchmarks.study;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Runs all arms and seeds of experiments, several at once, one thread each; evaluations of a run
 * follow it. Seeds come first in the order: after a part of the time all arms have as many of them.
 * What is done is skipped, what was interrupted goes on; it can be killed and started again at any
 * time. {@code benchmarks/study/run.sh} starts it.
 */
public final class RunExperiments {
  private RunExperiments() {}

  /**
   * Runs experiments.
   *
   * @param arguments folder of the launcher, version, folder for runs, folder for logs, jobs, and
   *     files of experiments
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments.length < 6) {
      System.err.println("expected: PROGRAM VERSION WORK LOGS JOBS EXPERIMENT.json ...");
      System.exit(2);
    }
    Path program = Path.of(arguments[0]);
    Path work = Path.of(arguments[2]);
    Path logs = Path.of(arguments[3]);
    List<List<Job>> tasks = new ArrayList<>();
    try {
      for (String file : List.of(arguments).subList(5, arguments.length)) {
        Experiment experiment = Experiment.read(Path.of(file));
        OneRun.fromEnvironment(experiment.data(), System::getenv);
        for (long seed : experiment.seeds()) {
          for (String arm : experiment.arms().keySet()) {
            List<Job> task = task(experiment, arm, seed, program, arguments[1], work, logs);
            if (!task.isEmpty()) {
              tasks.add(task);
            }
          }
        }
      }
    } catch (IllegalArgumentException e) {
      System.err.println("study: " + e.getMessage());
      System.exit(2);
    }
    System.exit(runAll(tasks, Integer.parseInt(arguments[4])) ? 0 : 1);
  }

  /** What is left to do of one arm with one seed: the run, then its evaluations. */
  private static List<Job> task(
      Experiment experiment,
      String arm,
      long seed,
      Path program,
      String version,
      Path work,
      Path logs)
      throws IOException {
    List<Job> jobs = new ArrayList<>();
    jobs.add(
        experiment.peers().contains(arm)
            ? new OnePeerRun(experiment, arm, seed, program, work, logs)
            : new OneRun(experiment, arm, seed, program, version, work, logs));
    for (String evaluation : experiment.evaluationsOf(arm)) {
      jobs.add(new OneEvaluation(experiment, evaluation, seed, program, version, work, logs));
    }
    if (!jobs.get(0).isDone()) {
      return jobs; // an evaluation of an earlier run is of other weights
    }
    List<Job> left = new ArrayList<>();
    for (Job job : jobs) {
      if (!job.isDone()) {
        left.add(job);
      }
    }
    return left;
  }

  /** Whether all have a result. */
  private static boolean runAll(List<List<Job>> tasks, int jobs) throws InterruptedException {
    System.out.printf(Locale.ROOT, "%d runs to do, %d at once%n", tasks.size(), jobs);
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> tasks.forEach(task -> task.forEach(Job::stop))));
    ExecutorService pool = Executors.newFixedThreadPool(jobs);
    List<Future<Boolean>> results =
        pool.invokeAll(tasks.stream().map(RunExperiments::inOrder).toList());
    pool.shutdown();
    boolean all = true;
    for (Future<Boolean> result : results) {
      try {
        all &= result.get();
      } catch (ExecutionException e) {
        System.err.println("study: " + e.getCause().getMessage());
        all = false;
      }
    }
    return all;
  }

  private static Callable<Boolean> inOrder(List<Job> task) {
    return () -> {
      try {
        for (Job job : task) {
          if (!job.run()) {
            return false;
          }
        }
        return true;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
  }
}
