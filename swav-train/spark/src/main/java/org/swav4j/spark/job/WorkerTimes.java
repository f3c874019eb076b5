package org.swav4j.spark.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.swav4j.spark.collective.SparkCollective;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;

/**
 * Where the time of each worker goes, epoch by epoch: {@code workers.csv} in the run folder, and a
 * warning that names a worker for which the others wait. All workers have one; the first writes.
 */
final class WorkerTimes implements TrainingListener {
  static final String FILE = "workers.csv";
  private static final String HEAD =
      "epoch,worker,executor,address,seconds,in_sums_share,waiting_for_images_share\n";
  private static final Logger LOG = LoggerFactory.getLogger(WorkerTimes.class);

  /** More than this share of an epoch spent waiting for one worker is worth a word. */
  private static final double MUCH = 0.2;

  private final SparkCollective collective;
  private final List<WorkerFacts> workers;
  private final Path folder;
  private long begun;
  private double waited;
  private long sumsBefore;

  /**
   * @param workers by rank
   * @param folder where the first worker writes; null for the others
   */
  WorkerTimes(SparkCollective collective, List<WorkerFacts> workers, Path folder) {
    this.collective = collective;
    this.workers = workers;
    this.folder = folder;
  }

  @Override
  public void started(RunSizes sizes) {
    begin();
  }

  private void begin() {
    begun = System.nanoTime();
    waited = 0;
    sumsBefore = collective.nanos();
  }

  @Override
  public void step(StepMetrics metrics) {
    waited += metrics.waitedSeconds();
  }

  @Override
  public void epoch(EpochMetrics metrics) {
    if (metrics.epoch() > 0) {
      double[] all = new double[3 * workers.size()];
      all[3 * collective.rank()] = (System.nanoTime() - begun) / 1e9;
      all[3 * collective.rank() + 1] = (collective.nanos() - sumsBefore) / 1e9;
      all[3 * collective.rank() + 2] = waited;
      collective.sum(all);
      if (folder != null) {
        write(metrics.epoch(), all);
        warn(metrics.epoch(), all);
      }
    }
    begin();
  }

  private void write(int epoch, double[] all) {
    StringBuilder lines = new StringBuilder();
    Path file = folder.resolve(FILE);
    try {
      if (!Files.exists(file)) {
        lines.append(HEAD);
      }
      for (int rank = 0; rank < workers.size(); rank++) {
        double total = Math.max(1e-9, all[3 * rank]);
        lines.append(
            String.format(
                Locale.ROOT,
                "%d,%d,%s,%s,%.3f,%.4f,%.4f%n",
                epoch,
                rank,
                workers.get(rank).executor(),
                workers.get(rank).address(),
                all[3 * rank],
                all[3 * rank + 1] / total,
                all[3 * rank + 2] / total));
      }
      Files.write(
          file,
          lines.toString().getBytes(StandardCharsets.UTF_8),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " can't be written: " + e.getMessage(), e);
    }
  }

  /** The slowest is the one that waits the least for the others. */
  private void warn(int epoch, double[] all) {
    int slowest = 0;
    int fastest = 0;
    for (int rank = 1; rank < workers.size(); rank++) {
      slowest = all[3 * rank + 1] < all[3 * slowest + 1] ? rank : slowest;
      fastest = all[3 * rank + 1] > all[3 * fastest + 1] ? rank : fastest;
    }
    double waiting = (all[3 * fastest + 1] - all[3 * slowest + 1]) / Math.max(1e-9, all[0]);
    if (waiting > MUCH) {
      LOG.warn(
          "epoch {}: the others wait for worker {} at {}, up to {} % of their time",
          epoch, slowest, workers.get(slowest).address(), Math.round(100 * waiting));
    }
  }
}
