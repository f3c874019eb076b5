package org.swav4j.spark.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.swav4j.data.DataSets;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.WeightsImport;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.spark.collective.SparkCollective;
import org.swav4j.train.advice.AdviceListener;
import org.swav4j.train.advice.CollapseMonitor;
import org.swav4j.train.advice.HealthListener;
import org.swav4j.train.advice.VitalSigns;
import org.swav4j.train.config.Machine;
import org.swav4j.train.config.MethodKind;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.features.FeatureJudge;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingListener;
import org.swav4j.train.report.ReportListener;
import org.swav4j.train.report.ReportedRun;
import org.swav4j.train.report.RunData;
import org.swav4j.train.run.CheckpointFile;
import org.swav4j.train.run.CheckpointListener;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.ResumeNotes;
import org.swav4j.train.run.RunFolder;

/**
 * One worker's training, from the last checkpoint in the run folder to the end. The first worker
 * also keeps the run folder: it writes as on one machine into a folder of its own, and copies what
 * is whole to where the others and the driver find it.
 */
final class Worker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final TrainingConfig config;
  private final DataSets data;
  private final RunStore store;
  private final SparkCollective collective;
  private final List<WorkerFacts> workers;
  private final Path temporary;
  private final Path local;
  private final RunFolder folder;
  private List<String> reports = List.of();
  private String word;

  private Worker(
      TrainingConfig config,
      DataSets data,
      RunStore store,
      SparkCollective collective,
      List<WorkerFacts> workers)
      throws IOException {
    this.config = config;
    this.data = data;
    this.store = store;
    this.collective = collective;
    this.workers = workers;
    this.temporary = Files.createTempDirectory("swav-run");
    this.local = Files.createDirectory(temporary.resolve(store.name()));
    this.folder = new RunFolder(local);
  }

  /** Meets the other workers of a barrier stage. */
  static Worker join(
      BarrierTaskContext context,
      TrainingConfig config,
      DataSets data,
      String folder,
      Configuration hadoop,
      Duration patience)
      throws IOException {
    List<WorkerFacts> workers = new ArrayList<>();
    SparkEnv env = SparkEnv.get();
    SparkCollective collective =
        SparkCollective.open(
            context.partitionId(),
            context.numPartitions(),
            env.blockManager().blockManagerId().host(),
            env.conf(),
            env.securityManager(),
            address -> exchange(context, WorkerFacts.here(address), workers),
            patience);
    try {
      return new Worker(config, data, new RunStore(folder, hadoop), collective, workers);
    } catch (IOException | RuntimeException | Error e) {
      collective.close();
      throw e;
    }
  }

  private static String exchange(
      BarrierTaskContext context, WorkerFacts mine, List<WorkerFacts> workers) {
    Arrays.stream(context.allGather(mine.text())).map(WorkerFacts::read).forEach(workers::add);
    WorkerFacts.requireAlike(workers);
    return String.join(" ", workers.stream().map(WorkerFacts::address).toList());
  }

  private boolean first() {
    return collective.rank() == 0;
  }

  /**
   * Trains to the end.
   *
   * @param word that the driver left in the run folder
   */
  void train(String word) throws IOException {
    this.word = word;
    if (!store.holds(word)) {
      throw new IllegalArgumentException(
          "the driver's run folder "
              + store
              + " is not the one that this executor sees: name a folder that all machines share, on"
              + " HDFS, S3 or a mounted disk");
    }
    Engine engine =
        Engines.of(config.execution().engine(), Precision.of(config.execution().precision()));
    Optional<Checkpoint> checkpoint =
        store.download(RunStore.CHECKPOINT, local).map(CheckpointFile::read);
    requireSame(checkpoint.map(Checkpoint::step).orElse(0L));
    SwavWeights weights = weights(checkpoint.isEmpty());
    try (Trainer trainer = new Trainer(config, data.train(), weights, engine, collective)) {
      if (first()) {
        keep(trainer, weights, engine, checkpoint);
      } else {
        checkpoint.ifPresent(trainer::restore);
        // In the order of the first worker's listeners: each is a call of the collective.
        trainer
            .listener(new WorkerTimes(collective, workers, null, trainer.done()))
            .listener(new CheckpointTurn(trainer));
        trainer.run();
      }
    }
    collective.finish();
  }

  /** Without this, one that was about to be replaced could be read by some and not by others. */
  private void requireSame(long step) {
    double[] bounds = {step, -step};
    collective.max(bounds);
    if (bounds[0] != step || bounds[1] != -step) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "workers read checkpoints of step %d up to %d: an earlier attempt was still writing",
              (long) -bounds[1],
              (long) bounds[0]));
    }
  }

  private SwavWeights weights(boolean start) throws IOException {
    Normalisation normalisation = config.data().normalisation();
    TrainingConfig.Network network = config.network();
    SwavWeights weights =
        SwavWeights.initialise(network.with(data.train().channels()), config.execution().seed())
            .withNormalisation(normalisation.mean(), normalisation.deviation())
            .withInputSize(InputSize.of(config.evaluationSize()));
    if (start && network.init() != null) {
      Path source = Path.of(network.init());
      WeightsImport imported =
          network.initPartial()
              ? WeightsImport.trunk(source, weights)
              : WeightsImport.whole(source, weights);
      LOG.info("{}", imported.summary());
    }
    return weights;
  }

  private void keep(
      Trainer trainer, SwavWeights weights, Engine engine, Optional<Checkpoint> checkpoint) {
    Optional<CollapseMonitor> monitor = advise(trainer, weights);
    checkpoint.ifPresent(trainer::restore);
    Optional<FeatureJudge> judge =
        config.evaluation().everyEpochs() == 0
            ? Optional.empty()
            : Optional.of(FeatureJudge.of(config, data, config.data().normalisation(), engine));
    try {
      double rawPixels =
          checkpoint
              .map(Checkpoint::rawPixels)
              .orElseGet(() -> judge.map(FeatureJudge::rawPixels).orElse(Double.NaN));
      judge.ifPresent(trainer::judge);
      store.download(folder.metrics().getFileName().toString(), local);
      store.download(WorkerTimes.FILE, local);
      String machine = machine(engine);
      List<String> changes =
          checkpoint
              .map(c -> ResumeNotes.of(c, config, MetricsLog.machine(folder.metrics()), machine))
              .orElse(List.of());
      folder.write(config);
      try (MetricsLog log = new MetricsLog(folder.metrics(), trainer.done())) {
        monitor.ifPresent(m -> m.resume(log.judgedSteps(), log.epochs()));
        log.start(trainer.done(), machine, changes);
        ReportListener report =
            ReportListener.of(
                local,
                new ReportedRun(config, RunData.of(data), engine, trainer::weights),
                log.epochs(),
                rawPixels,
                (file, e) -> LOG.warn("{} is not written: {}", file, e.toString()));
        reports = report.files();
        trainer
            .listener(log)
            .listener(new WorkerTimes(collective, workers, local, trainer.done()))
            .listener(report)
            .listener(new CheckpointListener(trainer, folder, rawPixels, log.epochs()))
            .listener(new Upload());
        trainer.run();
      }
      upload();
    } finally {
      judge.ifPresent(FeatureJudge::close);
    }
  }

  private Optional<CollapseMonitor> advise(Trainer trainer, SwavWeights weights) {
    if (config.method() != MethodKind.SWAV) {
      return Optional.empty();
    }
    CollapseMonitor monitor = new CollapseMonitor(config, trainer.sizes());
    int rows = trainer.sizes().batch() / collective.size();
    trainer
        .listener(new HealthListener(trainer.network(), weights))
        .listener(new AdviceListener(monitor, new VitalSigns(trainer.network(), rows, weights)));
    return Optional.of(monitor);
  }

  /** All that decides how sums are rounded. */
  private String machine(Engine engine) {
    return String.format(
        Locale.ROOT,
        "%d workers on Spark, each %s with %d native threads, engine %s in %s, swav4j %s",
        collective.size(),
        Machine.processor().orElse(System.getProperty("os.arch")),
        Machine.nativeThreads(),
        engine.name(),
        config.execution().precision(),
        workers.get(0).version());
  }

  /** The checkpoint last: what it goes on from is there then. */
  private void upload() {
    if (!store.holds(word)) {
      throw new IllegalStateException(
          "the run folder " + store + " has been taken over by another driver, or has ended");
    }
    store.upload(folder.config());
    store.upload(folder.metrics());
    store.upload(local.resolve(WorkerTimes.FILE));
    reports.forEach(file -> store.upload(local.resolve(file), file));
    store.upload(folder.weights());
    store.upload(folder.best());
    store.upload(folder.checkpoint());
  }

  @Override
  public void close() {
    collective.close();
    try {
      ConfigText.delete(temporary);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** Copies what an epoch left. */
  private final class Upload implements TrainingListener {
    @Override
    public void epoch(EpochMetrics metrics) {
      upload();
    }
  }

  /** Takes part when the first worker writes a checkpoint, which all of them have a share of. */
  private static final class CheckpointTurn implements TrainingListener {
    private final Trainer trainer;
    private long taken = -1;

    CheckpointTurn(Trainer trainer) {
      this.trainer = trainer;
    }

    @Override
    public void epoch(EpochMetrics metrics) {
      if (metrics.epoch() > 0) {
        take();
      }
    }

    @Override
    public void ended() {
      if (taken != trainer.done() && trainer.done() > 0) {
        take();
      }
    }

    private void take() {
      trainer.checkpoint(Double.NaN);
      taken = trainer.done();
    }
  }
}
