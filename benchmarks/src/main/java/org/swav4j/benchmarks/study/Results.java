package org.swav4j.benchmarks.study;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The logs of an experiment that are there so far.
 *
 * @param runs by arm and seed
 * @param evaluations runs with what an evaluation found, by its name and seed
 */
record Results(
    Experiment experiment,
    Map<String, Map<Long, RunLog>> runs,
    Map<String, Map<Long, RunLog>> evaluations) {

  /**
   * Reads them.
   *
   * @throws IllegalArgumentException if a log is of other flags than the experiment says
   */
  static Results read(Experiment experiment, Path logs) throws IOException {
    Map<String, Map<Long, RunLog>> runs = new LinkedHashMap<>();
    for (String arm : experiment.arms().keySet()) {
      Map<Long, RunLog> seeds = new LinkedHashMap<>();
      for (long seed : experiment.seeds()) {
        Path file = OneRun.logFile(logs, experiment, arm, seed);
        if (Files.exists(file)) {
          RunLog log = RunLog.read(file);
          if (!log.flags().equals(experiment.flags(arm, seed))) {
            throw new IllegalArgumentException(
                file + " was run with other flags than " + experiment.name() + " says");
          }
          seeds.put(seed, log);
        }
      }
      runs.put(arm, seeds);
    }
    Map<String, Map<Long, RunLog>> evaluations = new LinkedHashMap<>();
    for (String evaluation : experiment.evaluations().keySet()) {
      evaluations.put(
          evaluation,
          evaluations(experiment, evaluation, runs.get(Experiment.armOf(evaluation)), logs));
    }
    return new Results(experiment, runs, evaluations);
  }

  private static Map<Long, RunLog> evaluations(
      Experiment experiment, String evaluation, Map<Long, RunLog> runs, Path logs)
      throws IOException {
    Map<Long, RunLog> seeds = new LinkedHashMap<>();
    for (Map.Entry<Long, RunLog> run : runs.entrySet()) {
      Path file = OneEvaluation.logFile(logs, experiment, evaluation, run.getKey());
      if (Files.exists(file)) {
        List<String> flags = experiment.evaluationFlags(evaluation, run.getKey());
        seeds.put(
            run.getKey(), run.getValue().withFineTune(EvaluationLog.read(file, flags).fineTune()));
      }
    }
    return seeds;
  }

  boolean isEmpty() {
    return runs.values().stream().allMatch(Map::isEmpty);
  }

  List<RunLog> of(String arm) {
    return List.copyOf(runs.get(arm).values());
  }

  /** The difference over the seeds that all arms of the comparison have; empty if there is none. */
  Optional<PairedDifference> difference(Experiment.Comparison comparison) {
    List<Double> differences = new ArrayList<>();
    for (long seed : experiment.seeds()) {
      double difference =
          value(comparison, comparison.greater(), seed)
              - value(comparison, comparison.less(), seed);
      if (Double.isFinite(difference)) {
        differences.add(difference);
      }
    }
    return differences.isEmpty()
        ? Optional.empty()
        : Optional.of(PairedDifference.of(differences.stream().mapToDouble(d -> d).toArray()));
  }

  /** NaN if a run is missing. */
  private double value(Experiment.Comparison comparison, List<String> names, long seed) {
    Map<String, Map<Long, RunLog>> compared =
        comparison.measure().isOfEvaluation() ? evaluations : runs;
    List<RunLog> logs = new ArrayList<>();
    for (String name : names) {
      RunLog log = compared.get(name).get(seed);
      if (log == null) {
        return Double.NaN;
      }
      logs.add(log);
    }
    return comparison.measure().of(logs);
  }
}
