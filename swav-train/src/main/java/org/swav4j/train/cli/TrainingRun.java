package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.WeightsImport;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.advice.AdviceListener;
import org.swav4j.train.advice.CollapseMonitor;
import org.swav4j.train.advice.HealthListener;
import org.swav4j.train.advice.HealthState;
import org.swav4j.train.advice.VitalSigns;
import org.swav4j.train.config.Machine;
import org.swav4j.train.config.MethodKind;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.features.FeatureJudge;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.report.ReportListener;
import org.swav4j.train.report.ReportedRun;
import org.swav4j.train.report.RunData;
import org.swav4j.train.run.CheckpointListener;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.ResumeNotes;
import org.swav4j.train.run.RunFolder;

/** A trainer with everything that listens to it: progress, metrics, checkpoints and reports. */
final class TrainingRun implements AutoCloseable {
  private final Trainer trainer;
  private final Optional<FeatureJudge> judge;
  private final Deque<Runnable> closing = new ArrayDeque<>();
  private double rawPixels = Double.NaN;
  private RunFolder folder;
  private Optional<CollapseMonitor> monitor = Optional.empty();
  private ReportListener report;

  private TrainingRun(Trainer trainer, Optional<FeatureJudge> judge) {
    this.trainer = trainer;
    this.judge = judge;
    closing.push(trainer::close);
    judge.ifPresent(j -> closing.push(j::close));
  }

  /**
   * Makes the trainer of a new run, and then its folder.
   *
   * @param directory of the run, which may not be there yet
   * @param output where progress is shown
   */
  static TrainingRun begin(TrainingData data, Engine engine, Path directory, OutputOptions output) {
    return start(data, engine, null, () -> RunFolder.create(directory), output);
  }

  /**
   * Makes the trainer of a run that goes on.
   *
   * @param folder of the run
   * @param checkpoint to go on from
   * @param output where progress is shown
   */
  static TrainingRun resume(
      TrainingData data,
      Engine engine,
      RunFolder folder,
      Checkpoint checkpoint,
      OutputOptions output) {
    return start(data, engine, checkpoint, () -> folder, output);
  }

  private static TrainingRun start(
      TrainingData data,
      Engine engine,
      Checkpoint checkpoint,
      Supplier<RunFolder> folder,
      OutputOptions output) {
    data.notes().forEach(note -> output.note("%s", note));
    SwavWeights weights = weights(data, checkpoint == null, output);
    Trainer trainer = TrainingMemory.trainer(data, weights, engine);
    TrainingRun run = new TrainingRun(trainer, judge(data, engine, output));
    try {
      run.advise(data.config(), weights, output);
      run.restore(checkpoint, output);
      // Nothing is written before all of this is known to work.
      run.folder = folder.get();
      run.listeners(checkpoint, data, engine, output);
      return run;
    } catch (RuntimeException | Error e) {
      run.close();
      if (checkpoint == null && run.folder != null) {
        run.folder.discard();
      }
      throw e;
    }
  }

  /** All that decides how sums are rounded. */
  private static String machine(TrainingConfig config, Engine engine) {
    return String.format(
        Locale.ROOT,
        "%s, %d native threads, engine %s in %s, swav4j %s",
        Machine.processor().orElse(System.getProperty("os.arch")),
        Machine.nativeThreads(),
        engine.name(),
        config.execution().precision(),
        SwavCommand.version());
  }

  private void advise(TrainingConfig config, SwavWeights weights, OutputOptions output) {
    if (config.method() != MethodKind.SWAV) {
      return; // what is watched and advised is about codes
    }
    CollapseMonitor watching = new CollapseMonitor(config, trainer.sizes());
    watching.beforeTraining().forEach(w -> output.note("warning: %s", w));
    trainer
        .listener(new HealthListener(trainer.network(), weights))
        .listener(
            new AdviceListener(
                watching, new VitalSigns(trainer.network(), trainer.sizes().batch(), weights)));
    monitor = Optional.of(watching);
  }

  private void restore(Checkpoint checkpoint, OutputOptions output) {
    if (checkpoint != null) {
      trainer.restore(checkpoint);
      output.note("going on after step %d of %d", trainer.done(), trainer.sizes().totalSteps());
    }
    judge.ifPresent(
        j -> {
          trainer.judge(j);
          rawPixels = checkpoint == null ? j.rawPixels() : checkpoint.rawPixels();
        });
  }

  private void listeners(
      Checkpoint checkpoint, TrainingData data, Engine engine, OutputOptions output) {
    TrainingConfig config = data.config();
    String machine = machine(config, engine);
    List<String> changes =
        checkpoint == null
            ? List.of()
            : ResumeNotes.of(checkpoint, config, MetricsLog.machine(folder.metrics()), machine);
    changes.forEach(change -> output.note("%s", change));
    folder.write(config);
    MetricsLog log = new MetricsLog(folder.metrics(), trainer.done());
    closing.push(log::close);
    monitor.ifPresent(m -> m.resume(log.judgedSteps(), log.epochs()));
    log.start(trainer.done(), machine, changes);
    ProgressListener progress =
        new ProgressListener(
            output.json ? output.err() : output.out(), output.err(), Terminal.isThere());
    closing.push(progress::close);
    report =
        ReportListener.of(
            folder.directory(),
            new ReportedRun(config, RunData.of(data.sets()), engine, trainer::weights),
            log.epochs(),
            rawPixels,
            (file, e) ->
                output.note("warning: %s is not written (%s)", file, SwavCommand.describe(e)));
    trainer
        .listener(progress)
        .listener(log)
        .listener(new CheckpointListener(trainer, folder, rawPixels, log.epochs()))
        .listener(report);
  }

  private static SwavWeights weights(TrainingData data, boolean first, OutputOptions output) {
    TrainingConfig config = data.config();
    Normalisation normalisation = config.data().normalisation();
    SwavWeights weights =
        SwavWeights.initialise(
                config.network().with(data.sets().train().channels()), config.execution().seed())
            .withNormalisation(normalisation.mean(), normalisation.deviation())
            .withInputSize(InputSize.of(config.evaluationSize()));
    // A run that goes on takes all of them from its checkpoint.
    if (first && config.network().init() != null) {
      output.note("%s", imported(config.network(), weights).summary());
    }
    return weights;
  }

  private static WeightsImport imported(TrainingConfig.Network network, SwavWeights weights) {
    Path source = Path.of(network.init());
    try {
      return network.initPartial()
          ? WeightsImport.trunk(source, weights)
          : WeightsImport.whole(source, weights);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  private static Optional<FeatureJudge> judge(
      TrainingData data, Engine engine, OutputOptions output) {
    TrainingConfig config = data.config();
    Optional<String> obstacle = FeatureJudge.obstacle(data.sets());
    obstacle.ifPresent(o -> output.note("k-NN is left out: %s", o));
    return config.evaluation().everyEpochs() == 0
        ? Optional.empty()
        : Optional.of(FeatureJudge.of(config, data.sets(), config.data().normalisation(), engine));
  }

  Trainer trainer() {
    return trainer;
  }

  /**
   * How the run is.
   *
   * @param step steps completed
   */
  HealthState health(long step) {
    return monitor.map(m -> m.state(step)).orElse(HealthState.STARTING);
  }

  /** Where the run is kept. */
  RunFolder folder() {
    return folder;
  }

  /** What judges features; empty if nothing does. */
  Optional<FeatureJudge> judge() {
    return judge;
  }

  /** k-NN accuracy on raw pixels; NaN if not measured. */
  double rawPixels() {
    return rawPixels;
  }

  /** All epochs, with those before the run was resumed. */
  List<EpochMetrics> epochs() {
    return report.epochs();
  }

  @Override
  public void close() {
    closing.forEach(Runnable::run);
    closing.clear();
  }
}
