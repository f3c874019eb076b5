package org.swav4j.train.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.features.KnnJudge;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingPlan;
import org.swav4j.train.report.ReportListener;
import org.swav4j.train.run.CheckpointListener;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Pre-trains a network and keeps what comes out in a run folder. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Pre-trains a network without labels and keeps weights, metrics, a plot and the"
          + " configuration in a run folder.",
      "Without arguments: the built-in shapes, a few minutes on 2 cores. Ctrl-C ends after the"
          + " current step and keeps a checkpoint."
    })
final class TrainCommand implements Callable<Integer> {
  private static final int NORMALISATION_IMAGES = 1000;
  private static final long PATIENCE_SECONDS = 120;

  @Mixin OutputOptions output;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "quick (default), small-images or imagenet; see below.")
  String preset;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run folder; not given, runs/PRESET-DATE-TIME.")
  Path out;

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description =
          "Goes on with the run in that folder from its last checkpoint, as if it had not been"
              + " interrupted.")
  Path resume;

  @ArgGroup(exclusive = false, heading = "%nFlags that change the preset:%n")
  TrainOptions options = new TrainOptions();

  @Override
  public Integer call() {
    if (resume != null && (out != null || preset != null)) {
      throw new IllegalArgumentException(
          "--resume goes on in its own folder with its own settings: leave out "
              + (out != null ? "--out" : "--preset"));
    }
    if (resume == null) {
      Preset base = Preset.of(preset == null ? Preset.QUICK.label() : preset);
      return train(options.applyTo(base.config()), null, base.label());
    }
    RunFolder folder = RunFolder.existing(resume);
    Checkpoint checkpoint = Checkpoint.read(folder.checkpoint());
    TrainingConfig config = options.applyTo(checkpoint.config());
    TrainOptions.requireSame(checkpoint, config, folder.checkpoint());
    return train(config, checkpoint, null);
  }

  private int train(TrainingConfig asked, Checkpoint checkpoint, String label) {
    Backend.start();
    Engine engine =
        Engines.of(asked.execution().engine(), Precision.of(asked.execution().precision()));
    DataSets data = open(asked.data());
    TrainingPlan.of(asked, data.train().size());
    TrainingConfig config = normalised(asked, data);
    RunFolder folder =
        checkpoint == null
            ? RunFolder.create(out == null ? defaultFolder(label) : out)
            : RunFolder.existing(resume);
    folder.write(config);
    note(
        "%s: %d training images, %s; engine %s; run folder %s",
        config.data().spec(),
        data.train().size(),
        data.train().channels() == 1 ? "grey" : "colour",
        engine.name(),
        folder.directory());
    if (checkpoint == null) {
      options.scaledRate(Preset.of(label).config()).ifPresent(line -> note("%s", line));
    }
    Normalisation n = config.data().normalisation();
    SwavWeights weights =
        SwavWeights.initialise(
                config.network().with(data.train().channels()), config.execution().seed())
            .withNormalisation(n.mean(), n.deviation());
    Optional<String> obstacle = KnnJudge.obstacle(data);
    obstacle.ifPresent(o -> note("k-NN is left out: %s", o));
    try (Trainer trainer = new Trainer(config, data.train(), weights, engine);
        KnnJudge judge = obstacle.isPresent() ? null : KnnJudge.of(config, data, n, engine);
        MetricsLog log =
            new MetricsLog(folder.metrics(), checkpoint == null ? 0 : checkpoint.step());
        ProgressListener progress =
            new ProgressListener(
                output.json ? output.err() : output.out(),
                output.err(),
                System.console() != null)) {
      trainer.warnings().forEach(w -> note("warning: %s", w));
      if (checkpoint != null) {
        trainer.restore(checkpoint);
        trainer.resumeAdvice(log.epochs());
        note("going on after step %d of %d", trainer.done(), trainer.plan().totalSteps());
      }
      boolean judging = judge != null && config.evaluation().everyEpochs() > 0;
      if (judging) {
        trainer.judge(judge);
      }
      double rawPixels =
          !judging ? Double.NaN : checkpoint == null ? judge.rawPixels() : checkpoint.rawPixels();
      trainer.listener(progress).listener(log);
      trainer.listener(new CheckpointListener(trainer, weights, folder, rawPixels));
      ReportListener report =
          new ReportListener(
              folder.report(),
              log.epochs(),
              rawPixels,
              e -> note("warning: no plot is drawn (%s)", SwavCommand.describe(e)));
      trainer.listener(report);
      run(trainer, () -> finish(trainer, folder, judge, rawPixels, report.epochs()));
      return trainer.stopped() ? SwavCommand.INTERRUPTED : 0;
    }
  }

  private static Path defaultFolder(String label) {
    String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"));
    Path folder = Path.of("runs", label + "-" + time);
    for (int i = 2; Files.exists(folder); i++) {
      folder = Path.of("runs", label + "-" + time + "-" + i);
    }
    return folder;
  }

  /** Opens data with the channels asked for. */
  static DataSets open(TrainingConfig.Data data) {
    DataSpec spec = DataSpec.parse(data.spec());
    DataSets sets = data.channels() == 0 ? spec.open() : spec.open(data.channels());
    if (sets.train().size() == 0) {
      throw new IllegalArgumentException(
          data.spec() + " holds no training image: is the path right, and are they JPEG or PNG?");
    }
    return sets;
  }

  private static TrainingConfig normalised(TrainingConfig config, DataSets data) {
    Normalisation n = config.data().normalisation();
    return n != null && n.channels() == data.train().channels()
        ? config
        : config.withNormalisation(Normalisation.of(data.train(), NORMALISATION_IMAGES));
  }

  /** Runs the trainer; Ctrl-C ends it after a step, and the process only when all is written. */
  private static void run(Trainer trainer, Runnable finish) {
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              trainer.stop();
              try {
                ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "swav-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      trainer.run();
      finish.run();
    } finally {
      ended.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // It is running, and the process ends with it.
      }
    }
  }

  private void finish(
      Trainer trainer,
      RunFolder folder,
      KnnJudge judge,
      double rawPixels,
      List<EpochMetrics> epochs) {
    if (trainer.skipped().count() > 0) {
      note("%s", trainer.skipped().summary());
    }
    double untrained = epochs.isEmpty() ? Double.NaN : epochs.get(0).knn();
    double trained = epochs.isEmpty() ? Double.NaN : epochs.get(epochs.size() - 1).knn();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "train");
    fields.put("run", folder.directory().toString());
    fields.put("steps", trainer.done());
    fields.put("completed", trainer.done() == trainer.plan().totalSteps());
    fields.put("knn_raw_pixels", finite(rawPixels));
    fields.put("knn_untrained", finite(untrained));
    fields.put("knn_trained", finite(trained));
    fields.put("skipped_images", trainer.skipped().count());
    fields.put("advice", epochs.stream().flatMap(e -> e.advice().stream()).toList());
    StringBuilder text = new StringBuilder();
    if (judge != null && !Double.isNaN(trained)) {
      text.append(
          String.format(
              Locale.ROOT,
              "k-NN accuracy (%s): raw pixels %.1f %%, untrained network %.1f %%, trained %.1f %%%n",
              judge.describe(),
              100 * rawPixels,
              100 * untrained,
              100 * trained));
    }
    text.append("run folder: ").append(folder.directory());
    output.result(fields, text.toString());
    if (trainer.stopped()) {
      note(
          "swav: %s",
          trainer.done() == 0
              ? "stopped before the first step"
              : "stopped after step "
                  + trainer.done()
                  + "; go on with: swav train --resume "
                  + folder.directory());
    }
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private void note(String format, Object... values) {
    output.err().printf(Locale.ROOT, format + "%n", values);
  }
}
