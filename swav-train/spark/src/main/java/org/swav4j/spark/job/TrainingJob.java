package org.swav4j.spark.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.swav4j.data.BrokenShare;
import org.swav4j.data.DataSets;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.data.Share;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.loop.TrainingException;
import org.swav4j.train.run.CheckpointFile;
import scala.reflect.ClassTag$;

/**
 * Trains on the executors of an application: one worker in each, all of them in one barrier stage.
 * When an executor is lost or a worker fails, the stage is started again and goes on from the last
 * checkpoint.
 */
public final class TrainingJob {
  private static final Logger LOG = LoggerFactory.getLogger(TrainingJob.class);

  /** Enough for three digits of the mean. */
  private static final int NORMALISATION_IMAGES = 1000;

  /** Share of unreadable images above which there is a warning, as on one machine. */
  private static final double FEW = 0.01;

  /** How long none has come when all have come, where their number isn't known. */
  private static final Duration SETTLED = Duration.ofSeconds(5);

  /** Jobs of this group are attempts. */
  private static final String GROUP = "swav training";

  private static final Pattern LOCAL_CLUSTER = Pattern.compile("local-cluster\\[\\s*(\\d+).*");

  /**
   * How a job is run.
   *
   * @param workers executors to train on; 0 for all that there are
   * @param minWorkers as many at least go on when executors are lost and not replaced; 0 for all
   * @param retries how many times the job may start again
   * @param patience how long a worker waits for another before it takes it for dead: longer than
   *     writing a checkpoint and judging features take
   */
  public record Options(int workers, int minWorkers, int retries, Duration patience) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Options {
      if (workers < 0 || minWorkers < 0 || retries < 0 || patience.toSeconds() < 1) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%d workers, at least %d, %d retries and %d s of patience: expected no negative"
                    + " number and at least 1 s",
                workers,
                minWorkers,
                retries,
                patience.toSeconds()));
      }
      if (workers > 0 && minWorkers > workers) {
        throw new IllegalArgumentException(
            "at least "
                + minWorkers
                + " of "
                + workers
                + " workers: expected no more than there are");
      }
    }
  }

  /**
   * How long the driver waits.
   *
   * @param executors may take to come
   * @param replacement may take of one that was lost
   * @param grace of a worker that has not ended when another has failed, before its executor is
   *     ended
   */
  record Waits(Duration executors, Duration replacement, Duration grace) {
    private static final Duration MOST = Duration.ofSeconds(60);

    /** A minute, or as long as workers wait for each other where that is less, and ten seconds. */
    static Waits of(Options options) {
      Duration patience = options.patience();
      Duration executors = patience.compareTo(MOST) < 0 ? patience : MOST;
      return new Waits(executors, executors, Duration.ofSeconds(10));
    }
  }

  private final JavaSparkContext context;
  private final Options options;
  private final RunOwner owner;
  private final Waits waits;
  private final Configuration hadoop;

  /** A job of this application. */
  public TrainingJob(SparkContext context, Options options) {
    this(context, options, RunOwner.of(context), Waits.of(options));
  }

  TrainingJob(SparkContext context, Options options, RunOwner owner, Waits waits) {
    this.context = JavaSparkContext.fromSparkContext(context);
    this.options = options;
    this.owner = owner;
    this.waits = waits;
    this.hadoop = context.hadoopConfiguration();
  }

  /** The application as the cluster manager started it. */
  RunOwner owner() {
    return owner;
  }

  /**
   * Trains a new run. A driver that the cluster manager has started again, with the same settings,
   * goes on with the run that it had begun: YARN's next attempt of an application, or a driver that
   * a standalone cluster supervises.
   *
   * @param base configuration to begin with
   * @param settings that differ, by flag without dashes, as on the command line
   * @param images lists those that the setting {@code data} names, and is asked when all else is
   *     known to work; gives null to open them by that name on every executor
   * @param folder of the run, on a file system that all executors reach
   * @return the address of the trained weights
   * @throws IllegalArgumentException if something can't be used, before any job
   * @throws TrainingException if training fails and starting again is no cure
   */
  public String begin(
      TrainingConfig base,
      Map<String, String> settings,
      Function<String, StoredImages.Listing> images,
      String folder) {
    TrainingConfig asked = Settings.change(base, settings);
    int workers = workers(asked);
    RunStore store = new RunStore(folder, hadoop);
    RunOwner mine = owner.asking(base, settings);
    Optional<RunOwner> before = store.owner().filter(kept -> kept.isStartedAgainAs(mine));
    if (before.isPresent()) {
      Optional<Checkpoint> last = checkpoint(store);
      LOG.warn(
          "application {} attempt '{}' had begun the run in {}, and this is {} attempt '{}' with"
              + " the same settings: {}",
          before.get().application(),
          before.get().attempt(),
          store,
          mine.application(),
          mine.attempt(),
          last.isPresent()
              ? "it goes on after step " + last.get().step()
              : "it begins anew, as there is no checkpoint yet");
      if (last.isPresent()) {
        return goOn(last.get(), Map.of(), images, store, mine);
      }
    } else {
      store.requireFree();
    }
    StoredImages.Listing listing = images.apply(asked.data().spec());
    if (listing != null && settings.containsKey("holdout") && asked.data().holdout() > 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "`holdout` is %s, and of a folder's URI or a table none is held out, all are learned"
                  + " from: leave it out, and keep images for testing elsewhere",
              asked.data().holdout()));
    }
    TrainingConfig named = listing == null ? asked : asked.withData(listing.name());
    DataSets data = WorkerTask.data(named.data(), listing, hadoop, null);
    RunSizes.of(named, data.train().size());
    requireReadable(data.train(), named);
    Normalisation given = named.data().normalisation();
    TrainingConfig config =
        given != null && given.channels() == data.train().channels()
            ? named
            : named.withNormalisation(Normalisation.of(data.train(), NORMALISATION_IMAGES));
    store.create();
    return train(config, listing, store, mine, workers);
  }

  /**
   * Goes on with a run from its last checkpoint, with any number of workers.
   *
   * @param settings that differ from the run's, by flag
   * @param images lists those that the run's setting {@code data} names; gives null to open them by
   *     that name on every executor
   * @param folder of the run
   * @return the address of the trained weights
   * @throws IllegalArgumentException if there is no such run, or it can't go on with these settings
   * @throws TrainingException if it is a run of other images, or training fails
   */
  public String resume(
      Map<String, String> settings, Function<String, StoredImages.Listing> images, String folder) {
    RunStore store = new RunStore(folder, hadoop);
    Checkpoint checkpoint =
        checkpoint(store)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "there is no checkpoint in "
                            + store
                            + ": one is written after the first epoch; is the folder right?"));
    return goOn(checkpoint, settings, images, store, owner);
  }

  private String goOn(
      Checkpoint checkpoint,
      Map<String, String> settings,
      Function<String, StoredImages.Listing> images,
      RunStore store,
      RunOwner mine) {
    TrainingConfig before = Settings.resume(checkpoint.config(), settings);
    int workers = workers(before);
    StoredImages.Listing listing = images.apply(before.data().spec());
    TrainingConfig config = listing == null ? before : before.withData(listing.name());
    DataSets data = WorkerTask.data(config.data(), listing, hadoop, null);
    checkpoint.requireSameData(data.train(), config.data().spec());
    return train(config, listing, store, mine, workers);
  }

  private static Optional<Checkpoint> checkpoint(RunStore store) {
    try {
      Path temporary = Files.createTempDirectory("swav");
      try {
        return store.download(RunStore.CHECKPOINT, temporary).map(CheckpointFile::read);
      } finally {
        ConfigText.delete(temporary);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the temporary folder can't be used: " + e.getMessage(), e);
    }
  }

  private static void requireReadable(ImageSource images, TrainingConfig config) {
    BrokenShare broken = BrokenShare.of(images, config.execution().seed());
    if (broken.broken() == broken.tried() || broken.share() > config.data().allowBroken()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s in %s can't be read: %s; is the copy complete? `allowBroken` 1 trains on the"
                  + " rest",
              broken,
              images.name(),
              broken.examples()));
    }
    if (broken.share() > FEW) {
      LOG.warn("{} can't be read, others stand in for them: {}", broken, broken.examples());
    }
  }

  /** How many workers there will be; refuses what Spark would refuse later and at more length. */
  private int workers(TrainingConfig config) {
    SparkConf conf = context.getConf();
    if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
      throw new IllegalArgumentException(
          "spark.dynamicAllocation.enabled is true, and workers must stay while they train: set it"
              + " to false");
    }
    int cores = conf.getInt("spark.executor.cores", 1);
    int cpus = conf.getInt("spark.task.cpus", 1);
    if (cores >= 2 * cpus) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "spark.task.cpus is %d and executors have %d cores, so that two workers could share"
                  + " one: set spark.task.cpus to %d",
              cpus,
              cores,
              cores));
    }
    int wanted = options.workers();
    int expected = wanted > 0 ? wanted : asked(conf);
    int there = expected > 0 ? awaitExecutors(expected, waits.executors()) : awaitAll();
    if (there < Math.max(1, wanted)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d workers are wanted and there are %d executors after %d s: ask for more executors"
                  + " (--num-executors, spark.cores.max) or fewer workers",
              Math.max(1, wanted),
              there,
              waits.executors().toSeconds()));
    }
    int workers = wanted == 0 ? there : wanted;
    if (there < expected) {
      LOG.warn(
          "{} executors were asked for, and no more than {} came in {} s: training begins with these",
          expected,
          there,
          waits.executors().toSeconds());
    }
    new Share(0, workers).rows(config.optimisation().batch());
    return workers;
  }

  /** How many executors the application was started with; 0 if its settings don't tell. */
  private int asked(SparkConf conf) {
    Matcher local = LOCAL_CLUSTER.matcher(context.master());
    if (local.matches()) {
      return Integer.parseInt(local.group(1));
    }
    return conf.getInt(
        "spark.executor.instances",
        conf.getInt("spark.cores.max", 0) / conf.getInt("spark.executor.cores", 1));
  }

  private int executors() {
    // In local mode the driver is the only executor, elsewhere it is none.
    int all = context.sc().statusTracker().getExecutorInfos().length;
    return context.sc().isLocal() && !context.master().startsWith("local-cluster") ? 1 : all - 1;
  }

  private int awaitExecutors(int wanted, Duration most) {
    await(() -> executors() >= wanted, most);
    return executors();
  }

  /** Waits for the first, and until no more come. */
  private int awaitAll() {
    int there = awaitExecutors(1, waits.executors());
    long last = System.nanoTime();
    while (!context.sc().isLocal() && System.nanoTime() - last < SETTLED.toNanos()) {
      pause();
      if (executors() != there) {
        there = executors();
        last = System.nanoTime();
      }
    }
    return there;
  }

  private static void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for executors", e);
    }
  }

  private String train(
      TrainingConfig config,
      StoredImages.Listing listing,
      RunStore store,
      RunOwner mine,
      int wanted) {
    Broadcast<byte[]> images = listing == null ? null : context.broadcast(listing.bytes());
    String word = UUID.randomUUID().toString();
    store.keepFor(mine);
    store.leave(word);
    Broadcast<SerializableConfiguration> files =
        context.broadcast(new SerializableConfiguration(hadoop));
    WorkerTask task =
        new WorkerTask(
            ConfigText.of(config), store.toString(), options.patience(), word, images, files);
    Failures failures = new Failures(GROUP);
    context.sc().addSparkListener(failures);
    try {
      int workers = wanted;
      for (int failed = 0; ; ) {
        try {
          attempt(task, workers, failed);
          store.keepFor(mine.atEnd());
          return store.uri(RunStore.WEIGHTS);
        } catch (Exception e) {
          String reason = reason(e, failures);
          if (isTakenOver(store, word)) {
            throw new TrainingException(
                "another driver goes on with the run in "
                    + store
                    + ", so this one ends; was the same folder given to two applications?",
                e);
          }
          if (++failed > options.retries()) {
            throw new TrainingException(
                String.format(
                    Locale.ROOT,
                    "training failed %d times, at last: %s; its last checkpoint is in %s",
                    failed,
                    reason,
                    store),
                e);
          }
          endHanging(failures);
          workers = remaining(config, wanted, reason);
          LOG.warn(
              "training was interrupted ({}); it goes on with {} workers from the last checkpoint,"
                  + " retry {} of {}",
              reason,
              workers,
              failed,
              options.retries());
          failures.clear();
        }
      }
    } finally {
      context.sc().removeSparkListener(failures);
      store.forget(word);
      files.destroy();
      if (images != null) {
        images.destroy();
      }
    }
  }

  private static boolean isTakenOver(RunStore store, String word) {
    try {
      return !store.holds(word);
    } catch (UncheckedIOException e) {
      // Then the next attempt tells.
      return false;
    }
  }

  private void attempt(WorkerTask task, int workers, int retry) {
    String name =
        String.format(
            Locale.ROOT,
            "swav training, %d workers%s",
            workers,
            retry == 0 ? "" : ", retry " + retry);
    context.setJobGroup(GROUP, name, true);
    context.setCallSite(name);
    try {
      context
          .parallelize(IntStream.range(0, workers).boxed().toList(), workers)
          .rdd()
          .barrier()
          .mapPartitions(task, false, ClassTag$.MODULE$.apply(String.class))
          .collect();
    } finally {
      context.clearCallSite();
      context.clearJobGroup();
    }
  }

  /** Why an attempt failed; throws if another would fail as well. */
  private static String reason(Exception e, Failures failures) {
    if (!(e instanceof SparkException)) {
      // Spark's own exception is a checked one that Scala throws unannounced.
      if (e instanceof RuntimeException unexpected && !(e instanceof IllegalStateException)) {
        throw unexpected;
      }
    }
    // The workers' last words come a moment after the stage has failed.
    for (int i = 0; i < 5; i++) {
      pause();
    }
    failures
        .hopeless()
        .ifPresent(
            line -> {
              throw new TrainingException(line, e);
            });
    return failures
        .cause()
        .orElseGet(() -> String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
  }

  /**
   * Ends executors whose worker goes on though its attempt has failed: it hangs, takes the place of
   * a new worker, and could still write into the run folder. Spark itself waits for the process to
   * be silent for {@code spark.network.timeout}.
   */
  private void endHanging(Failures failures) {
    await(() -> failures.busy().isEmpty(), waits.grace());
    Set<String> hanging = failures.busy();
    for (String executor : hanging) {
      LOG.warn(
          "the worker in executor {} hangs: it has not ended {} s after the others, so its executor"
              + " is ended and another is asked for",
          executor,
          waits.grace().toSeconds());
      context.sc().killAndReplaceExecutor(executor);
    }
    if (!hanging.isEmpty()) {
      await(() -> failures.busy().isEmpty(), waits.replacement());
    }
  }

  private static void await(BooleanSupplier come, Duration most) {
    long deadline = System.nanoTime() + most.toNanos();
    while (!come.getAsBoolean() && System.nanoTime() < deadline) {
      pause();
    }
  }

  /** As many workers as are there again, or the largest number below that divides the batch. */
  private int remaining(TrainingConfig config, int wanted, String reason) {
    int there = awaitExecutors(wanted, waits.replacement());
    if (there >= wanted) {
      return wanted;
    }
    int least = options.minWorkers() == 0 ? wanted : options.minWorkers();
    Optional<Integer> workers =
        IntStream.rangeClosed(least, there)
            .filter(n -> config.optimisation().batch() % n == 0)
            .boxed()
            .max(Integer::compare);
    return workers.orElseThrow(
        () ->
            new TrainingException(
                String.format(
                    Locale.ROOT,
                    "%d of %d executors are left after %s, and at least %d are wanted whose number"
                        + " divides a batch of %d: resume when there are more, or allow fewer",
                    there,
                    wanted,
                    reason,
                    least,
                    config.optimisation().batch())));
  }

  /** The settings that {@code flag=value} lines name. */
  public static Map<String, String> settings(List<String> lines) {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String line : lines) {
      int equals = line.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException(
            "setting '" + line + "', expected flag=value such as crops=2x96,4x48");
      }
      settings.put(line.substring(0, equals).replaceFirst("^--", ""), line.substring(equals + 1));
    }
    return settings;
  }
}
