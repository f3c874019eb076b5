package org.swav4j.spark;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.swav4j.spark.job.StoredImages;
import org.swav4j.spark.job.TrainingJob;
import org.swav4j.train.cli.SettingOptions;
import org.swav4j.train.config.Preset;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Pre-trains a network on all executors. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    modelTransformer = SettingOptions.class,
    description = {
      "Pre-trains a network without labels on the executors of a Spark application, as one machine"
          + " would with the whole batch, and keeps weights, metrics, a report and the configuration"
          + " in a run folder.",
      "Images: --data URI, a folder on any file system of Hadoop's such as hdfs:///photos; or as"
          + " for 'swav train', then found under that name on every machine."
    })
final class TrainCommand implements Callable<Integer> {
  @Option(names = "--debug", description = "Shows the stack trace of an error.")
  boolean debug;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description =
          "quick (default for the built-in shapes), small-images, photos or imagenet, see the table"
              + " below; auto chooses by one machine, so not here.")
  String preset;

  @Option(
      names = "--out",
      paramLabel = "URI",
      description = "The run folder, new or empty, where the driver and all executors reach it.")
  String out;

  @Option(
      names = "--resume",
      paramLabel = "URI",
      description =
          "Continues the run in that folder from its last checkpoint, with any number of workers.")
  String resume;

  @Option(
      names = "--num-workers",
      paramLabel = "N",
      defaultValue = "0",
      description = "Executors to train on, one worker in each. Not given: all there are.")
  int workers;

  @Option(
      names = "--min-workers",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "As many at least go on when executors are lost and not replaced. Not given: all.")
  int minWorkers;

  @Option(
      names = "--retries",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "How many times training may go on from the last checkpoint after a failure (default 3).")
  int retries;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description =
          "A worker that doesn't come for so long is taken for dead (default 600); longer than a"
              + " checkpoint and the judging of features take.")
  int timeout;

  @Spec CommandSpec command;

  @Override
  public Integer call() {
    if ((out == null) == (resume == null)) {
      throw new IllegalArgumentException(
          "give --out URI for a new run, or --resume URI to go on with one");
    }
    if (resume != null && preset != null) {
      throw new IllegalArgumentException(
          "--resume goes on with the run's own settings: leave out --preset");
    }
    Map<String, String> given = SettingOptions.given(command.commandLine().getParseResult());
    Preset base = preset(given);
    // A session that was there before belongs to whoever made it.
    boolean own = SparkSession.getDefaultSession().isEmpty();
    SparkSession spark = SparkSession.builder().appName("swav train").getOrCreate();
    try {
      Configuration hadoop = spark.sparkContext().hadoopConfiguration();
      TrainingJob job =
          new TrainingJob(
              spark.sparkContext(),
              new TrainingJob.Options(workers, minWorkers, retries, Duration.ofSeconds(timeout)));
      Function<String, StoredImages.Listing> images =
          data -> StoredImages.isUri(data) ? StoredImages.list(data, hadoop) : null;
      PrintWriter console = command.commandLine().getOut();
      String folder = out != null ? out : resume;
      RunProgress progress = RunProgress.of(folder, hadoop, console);
      String weights;
      try {
        weights =
            out != null
                ? job.begin(base.config(), given, images, folder)
                : job.resume(given, images, folder);
      } finally {
        progress.close();
      }
      console.println("weights in " + weights);
      return 0;
    } finally {
      if (own) {
        spark.stop();
      }
    }
  }

  private Preset preset(Map<String, String> given) {
    if (preset != null) {
      return Preset.of(preset);
    }
    String data = given.getOrDefault("data", "shapes");
    if (resume == null && !data.startsWith("shapes")) {
      throw new IllegalArgumentException(
          "--preset is not given: take small-images, photos or imagenet, by the size of the"
              + " images");
    }
    return Preset.QUICK;
  }
}
