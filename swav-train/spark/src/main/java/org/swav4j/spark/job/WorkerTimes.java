package org.swav4j.spark.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
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
      "epoch,worker,executor,address,seconds,in_sums_share,waiting_for_images_share,"
          + "norms_share,codes_share,gradients_left_share";
  private static final Logger LOG = LoggerFactory.getLogger(WorkerTimes.class);

  /** More than this share of an epoch spent waiting for one worker is worth a word. */
  private static final double MUCH = 0.2;

  /** Numbers of a worker: its seconds in all, then those of each share in the order of the head. */
  private static final int NUMBERS = 6;

  private static final int IN_SUMS = 1;

  private final SparkCollective collective;
  private final List<WorkerFacts> workers;
  private final Path folder;
  private final long done;
  private long begun;
  private double waited;
  private SparkCollective.Times before;

  /**
   * @param workers by rank
   * @param folder where the first worker writes; null for the others
   * @param done steps of the run before this attempt
   */
  WorkerTimes(SparkCollective collective, List<WorkerFacts> workers, Path folder, long done) {
    this.collective = collective;
    this.workers = workers;
    this.folder = folder;
    this.done = done;
  }

  @Override
  public void started(RunSizes sizes) {
    if (folder != null) {
      keepUpTo((int) (done / sizes.stepsPerEpoch()));
    }
    begin();
  }

  /** Takes back what an attempt that was cut off wrote of epochs that are done again. */
  private void keepUpTo(int epochs) {
    Path file = folder.resolve(FILE);
    List<String> kept = new ArrayList<>(List.of(HEAD));
    try {
      if (Files.exists(file)) {
        Files.readAllLines(file).stream()
            .skip(1)
            .filter(l -> epoch(l) <= epochs)
            .forEach(kept::add);
      }
      Files.write(file, kept);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  private static int epoch(String line) {
    return Integer.parseInt(line.substring(0, line.indexOf(',')));
  }

  private static UncheckedIOException unwritable(Path file, IOException e) {
    return new UncheckedIOException(file + " can't be written: " + e.getMessage(), e);
  }

  private void begin() {
    begun = System.nanoTime();
    waited = 0;
    before = collective.times();
  }

  @Override
  public void step(StepMetrics metrics) {
    waited += metrics.waitedSeconds();
  }

  @Override
  public void epoch(EpochMetrics metrics) {
    if (metrics.epoch() > 0) {
      SparkCollective.Times times = collective.times().since(before);
      double[] own = {
        (System.nanoTime() - begun) / 1e9,
        times.sums() / 1e9,
        waited,
        times.norms() / 1e9,
        times.codes() / 1e9,
        times.gradients() / 1e9
      };
      double[] all = new double[NUMBERS * workers.size()];
      System.arraycopy(own, 0, all, NUMBERS * collective.rank(), NUMBERS);
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
    for (int rank = 0; rank < workers.size(); rank++) {
      double total = Math.max(1e-9, all[NUMBERS * rank]);
      lines.append(
          String.format(
              Locale.ROOT,
              "%d,%d,%s,%s,%.3f",
              epoch,
              rank,
              workers.get(rank).executor(),
              workers.get(rank).address(),
              all[NUMBERS * rank]));
      for (int number = IN_SUMS; number < NUMBERS; number++) {
        lines.append(String.format(Locale.ROOT, ",%.4f", all[NUMBERS * rank + number] / total));
      }
      lines.append(System.lineSeparator());
    }
    Path file = folder.resolve(FILE);
    try {
      Files.writeString(file, lines, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  /** The slowest is the one that waits the least for the others. */
  private void warn(int epoch, double[] all) {
    int slowest = 0;
    int fastest = 0;
    for (int rank = 1; rank < workers.size(); rank++) {
      slowest = inSums(all, rank) < inSums(all, slowest) ? rank : slowest;
      fastest = inSums(all, rank) > inSums(all, fastest) ? rank : fastest;
    }
    double waiting = (inSums(all, fastest) - inSums(all, slowest)) / Math.max(1e-9, all[0]);
    if (waiting > MUCH) {
      LOG.warn(
          "epoch {}: the others wait for worker {} at {}, up to {} % of their time",
          epoch, slowest, workers.get(slowest).address(), Math.round(100 * waiting));
    }
  }

  private static double inSums(double[] all, int rank) {
    return all[NUMBERS * rank + IN_SUMS];
  }
}
