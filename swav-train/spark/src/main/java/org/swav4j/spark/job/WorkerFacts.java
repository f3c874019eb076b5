package org.swav4j.spark.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.apache.spark.SparkEnv;
import org.swav4j.train.config.Machine;
import org.swav4j.train.loop.Trainer;

/**
 * What workers tell each other before they begin.
 *
 * @param address {@code host:port} of the worker's end of the collective
 * @param executor Spark's name for its executor
 * @param version of this library
 * @param processor instruction sets by which libraries choose how to round sums
 */
record WorkerFacts(String address, String executor, String version, String processor) {
  private static final String BETWEEN = "\t";

  static WorkerFacts here(String address) {
    String version = Trainer.class.getPackage().getImplementationVersion();
    return new WorkerFacts(
        address,
        SparkEnv.get().executorId(),
        version == null ? "unpackaged" : version,
        System.getProperty("os.arch") + " " + String.join(" ", Machine.instructionSets()));
  }

  static WorkerFacts read(String text) {
    String[] facts = text.split(BETWEEN, -1);
    return new WorkerFacts(facts[0], facts[1], facts[2], facts[3]);
  }

  String text() {
    return String.join(BETWEEN, address, executor, version, processor);
  }

  /**
   * Refuses workers that can't train together.
   *
   * @param all by rank
   * @throws IllegalArgumentException naming two that differ, or share an executor
   */
  static void requireAlike(List<WorkerFacts> all) {
    requireEqual(
        all,
        WorkerFacts::version,
        "has version %s of swav4j, and worker %d at %s has %s: give all executors the same jars");
    requireEqual(
        all,
        WorkerFacts::processor,
        "has a processor with '%s', and worker %d at %s one with '%s', which rounds sums otherwise,"
            + " so that weights would drift apart: take executors of one kind of machine");
    List<String> executors = new ArrayList<>();
    for (int rank = 0; rank < all.size(); rank++) {
      int before = executors.indexOf(all.get(rank).executor());
      if (before >= 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "workers %d and %d are in the same executor %s: set spark.task.cpus to the cores of"
                    + " an executor, or take fewer workers",
                before,
                rank,
                all.get(rank).executor()));
      }
      executors.add(all.get(rank).executor());
    }
  }

  private static void requireEqual(
      List<WorkerFacts> all, Function<WorkerFacts, String> fact, String difference) {
    WorkerFacts first = all.get(0);
    for (int rank = 1; rank < all.size(); rank++) {
      WorkerFacts other = all.get(rank);
      if (!fact.apply(first).equals(fact.apply(other))) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "worker 0 at " + first.address() + " " + difference,
                fact.apply(first),
                rank,
                other.address(),
                fact.apply(other)));
      }
    }
  }
}
