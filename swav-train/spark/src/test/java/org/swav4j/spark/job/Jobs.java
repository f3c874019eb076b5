package org.swav4j.spark.job;

import java.time.Duration;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.swav4j.train.config.TrainingConfig;

/** Jobs of tests, which wait less long than others and may be another start of the application. */
public final class Jobs {
  private Jobs() {}

  /** Of this application. */
  public static TrainingJob of(SparkContext context, TrainingJob.Options options, Waits waits) {
    return new TrainingJob(context, options, RunOwner.of(context), waits.of());
  }

  /** Of this application as YARN starts it for the n-th time. */
  public static TrainingJob attempt(
      SparkContext context, TrainingJob.Options options, String attempt) {
    RunOwner now = RunOwner.of(context);
    return new TrainingJob(
        context,
        options,
        new RunOwner(now.application(), attempt, now.supervised(), now.asked(), false),
        TrainingJob.Waits.of(options));
  }

  /** Leaves in a run folder what a driver leaves that ends before the first epoch does. */
  public static void leave(
      TrainingJob job, TrainingConfig base, Map<String, String> settings, String folder) {
    RunStore store = new RunStore(folder, new Configuration());
    store.create();
    store.keepFor(job.owner().asking(base, settings));
    store.leave("the word of one that is gone");
  }

  /**
   * How long the driver waits.
   *
   * @param replacement may take of an executor that was lost
   * @param grace of a worker that hangs
   */
  public record Waits(Duration replacement, Duration grace) {
    private TrainingJob.Waits of() {
      return new TrainingJob.Waits(Duration.ofSeconds(60), replacement, grace);
    }
  }
}
