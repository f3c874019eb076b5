package org.swav4j.spark;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.swav4j.spark.job.StoredImages;
import org.swav4j.spark.job.TrainingJob;
import org.swav4j.train.config.Preset;

/**
 * Pre-trains a network without labels on the images of a column, on as many executors as there are,
 * as one machine would with the whole batch.
 *
 * <pre>{@code
 * SwavModel model =
 *     new SwavEstimator()
 *         .setRunFolder("hdfs:///runs/photos")
 *         .setPreset("photos")
 *         .setEpochs(100)
 *         .fit(spark.read().format("binaryFile").load("hdfs:///photos/*.jpg"));
 * }</pre>
 *
 * <p>Each executor runs one worker with all its cores: {@code spark.task.cpus} must be {@code
 * spark.executor.cores}, and dynamic allocation off. A run that loses executors goes on from its
 * last checkpoint. Weights, metrics, report and configuration are in the run folder, as {@code swav
 * train} keeps them.
 */
public final class SwavEstimator extends Estimator<SwavModel>
    implements ImageParams<SwavEstimator>, DefaultParamsWritable {
  private static final long serialVersionUID = 1L;

  private final String uid;
  private final Columns columns;
  private final Param<String> runFolder;
  private final Param<String> preset;
  private final Param<String> settings;
  private final IntParam epochs;
  private final IntParam batch;
  private final DoubleParam learningRate;
  private final IntParam prototypes;
  private final Param<String> gradients;
  private final IntParam workers;
  private final IntParam minWorkers;
  private final IntParam retries;
  private final IntParam timeout;
  private final BooleanParam resume;

  /** With default parameters. */
  public SwavEstimator() {
    this(Identifiable$.MODULE$.randomUID("swav"));
  }

  /** For Spark, which reads stored parameters into it. */
  public SwavEstimator(String uid) {
    this.uid = uid; // parameters look at it
    columns = new Columns(this);
    runFolder =
        new Param<>(
            this,
            "runFolder",
            "folder for weights, checkpoint, metrics and report, new or empty, on a file system that"
                + " the driver and all executors reach, such as hdfs:///runs/photos");
    preset =
        new Param<>(
            this,
            "preset",
            "settings to begin with: quick, small-images, photos or imagenet",
            ParamValidators.inArray(
                Arrays.stream(Preset.values()).map(Preset::label).toArray(String[]::new)));
    settings =
        new Param<>(
            this,
            "settings",
            "more settings as flag=value separated by semicolons, with the flags of 'swav train"
                + " --help': crops=2x96,4x48; queue=3840");
    epochs = new IntParam(this, "epochs", "passes over the images", ParamValidators.gtEq(1));
    batch =
        new IntParam(
            this,
            "batch",
            "images in a step, of all workers together; a multiple of their number",
            ParamValidators.gtEq(2));
    learningRate =
        new DoubleParam(
            this,
            "learningRate",
            "largest learning rate; not set: the preset's, in proportion to the batch",
            ParamValidators.gt(0));
    prototypes =
        new IntParam(this, "prototypes", "prototypes, the K of the paper", ParamValidators.gtEq(2));
    gradients =
        new Param<>(
            this,
            "gradients",
            "how gradients travel between workers: float, or fp16, half as many bytes; each sum is"
                + " then off by up to a thousandth of what is added",
            ParamValidators.inArray(new String[] {"float", "fp16"}));
    workers =
        new IntParam(
            this, "workers", "executors to train on; 0 for all there are", ParamValidators.gtEq(0));
    minWorkers =
        new IntParam(
            this,
            "minWorkers",
            "as many at least go on when executors are lost and not replaced; 0 for all",
            ParamValidators.gtEq(0));
    retries =
        new IntParam(
            this,
            "retries",
            "how many times training may go on from the last checkpoint after a failure",
            ParamValidators.gtEq(0));
    timeout =
        new IntParam(
            this,
            "timeout",
            "seconds after which a worker that doesn't come is taken for dead; longer than a"
                + " checkpoint and the judging of features take",
            ParamValidators.gtEq(1));
    resume = new BooleanParam(this, "resume", "whether to go on with the run in the run folder");
    setDefault(preset, Preset.SMALL_IMAGES.label());
    setDefault(settings, "");
    setDefault(workers, 0);
    setDefault(minWorkers, 0);
    setDefault(retries, 3);
    setDefault(timeout, 600);
    setDefault(resume, false);
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public Columns columns() {
    return columns;
  }

  /** The run folder, which must be set. */
  public Param<String> runFolder() {
    return runFolder;
  }

  /** Settings to begin with; {@code small-images} by default. */
  public Param<String> preset() {
    return preset;
  }

  /** More settings; none by default. */
  public Param<String> settings() {
    return settings;
  }

  /** Passes over the images; the preset's by default. */
  public IntParam epochs() {
    return epochs;
  }

  /** Images in a step; the preset's by default. */
  public IntParam batch() {
    return batch;
  }

  /** Largest learning rate; the preset's by default, in proportion to the batch. */
  public DoubleParam learningRate() {
    return learningRate;
  }

  /** Prototypes; the preset's by default. */
  public IntParam prototypes() {
    return prototypes;
  }

  /** How gradients travel between workers; {@code float} by default. */
  public Param<String> gradients() {
    return gradients;
  }

  /** Executors to train on; all by default. */
  public IntParam workers() {
    return workers;
  }

  /** Executors that suffice to go on; all by default. */
  public IntParam minWorkers() {
    return minWorkers;
  }

  /** Times that training may start again; 3 by default. */
  public IntParam retries() {
    return retries;
  }

  /** Seconds that workers wait for each other; 600 by default. */
  public IntParam timeout() {
    return timeout;
  }

  /** Whether to go on with a run; false by default. */
  public BooleanParam resume() {
    return resume;
  }

  /** Sets {@link #runFolder}. */
  public SwavEstimator setRunFolder(String folder) {
    set(runFolder, folder);
    return this;
  }

  /** Sets {@link #preset}. */
  public SwavEstimator setPreset(String name) {
    set(preset, name);
    return this;
  }

  /**
   * Sets {@link #settings}.
   *
   * @param settingsOfRun {@code flag=value}, one each or several separated by semicolons
   */
  public SwavEstimator setSettings(String... settingsOfRun) {
    set(settings, String.join("; ", settingsOfRun));
    return this;
  }

  /** Sets {@link #epochs}. */
  public SwavEstimator setEpochs(int count) {
    set(epochs, count);
    return this;
  }

  /** Sets {@link #batch}. */
  public SwavEstimator setBatch(int images) {
    set(batch, images);
    return this;
  }

  /** Sets {@link #learningRate}. */
  public SwavEstimator setLearningRate(double rate) {
    set(learningRate, rate);
    return this;
  }

  /** Sets {@link #prototypes}. */
  public SwavEstimator setPrototypes(int count) {
    set(prototypes, count);
    return this;
  }

  /** Sets {@link #gradients}. */
  public SwavEstimator setGradients(String numbers) {
    set(gradients, numbers);
    return this;
  }

  /** Sets {@link #workers}. */
  public SwavEstimator setWorkers(int count) {
    set(workers, count);
    return this;
  }

  /** Sets {@link #minWorkers}. */
  public SwavEstimator setMinWorkers(int count) {
    set(minWorkers, count);
    return this;
  }

  /** Sets {@link #retries}. */
  public SwavEstimator setRetries(int count) {
    set(retries, count);
    return this;
  }

  /** Sets {@link #timeout}. */
  public SwavEstimator setTimeout(int seconds) {
    set(timeout, seconds);
    return this;
  }

  /** Sets {@link #resume}. */
  public SwavEstimator setResume(boolean goOn) {
    set(resume, goOn);
    return this;
  }

  private <T> T value(Param<T> param) {
    return getOrDefault(param);
  }

  /**
   * Trains, and returns when the last epoch is done.
   *
   * @throws IllegalArgumentException if something can't be used: the column, the run folder, the
   *     settings, or the executors; before training begins
   * @throws org.swav4j.train.loop.TrainingException if training fails and starting again is no cure
   */
  @Override
  public SwavModel fit(Dataset<?> dataset) {
    transformSchema(dataset.schema());
    if (!isSet(runFolder)) {
      throw new IllegalArgumentException(
          "runFolder is not set: name a new folder that all executors reach, such as"
              + " hdfs:///runs/photos");
    }
    SparkSession spark = dataset.sparkSession();
    SparkContext context = spark.sparkContext();
    TrainingJob job =
        new TrainingJob(
            context,
            new TrainingJob.Options(
                (Integer) value((Param<?>) workers),
                (Integer) value((Param<?>) minWorkers),
                (Integer) value((Param<?>) retries),
                Duration.ofSeconds((Integer) value((Param<?>) timeout))));
    String folder = value(runFolder);
    boolean goOn = (Boolean) value((Param<?>) resume);
    // Hidden, as it is no part of the run.
    Function<String, StoredImages.Listing> images =
        data -> DatasetImages.list(dataset, value(inputCol()), folder + "/.images");
    String weights =
        goOn
            ? job.resume(given(), images, folder)
            : job.begin(Preset.of(value(preset)).config(), given(), images, folder);
    SwavModel model =
        new SwavModel(uid, StoredWeights.read(weights, context.hadoopConfiguration()));
    model.setParent(this);
    return copyValues(model, ParamMap.empty());
  }

  /** The settings that were set, by flag. */
  private Map<String, String> given() {
    Map<String, String> given =
        new LinkedHashMap<>(
            TrainingJob.settings(
                Arrays.stream(value(settings).split(";"))
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList()));
    given("epochs", epochs, given);
    given("batch", batch, given);
    given("lr", learningRate, given);
    given("prototypes", prototypes, given);
    given("gradients", gradients, given);
    return given;
  }

  private void given(String flag, Param<?> param, Map<String, String> given) {
    if (isSet(param)) {
      given.put(flag, String.valueOf(value(param)));
    }
  }

  /**
   * @throws IllegalArgumentException if the column of the images is missing or neither binary nor
   *     string, or one of the model's columns is there already
   */
  @Override
  public StructType transformSchema(StructType schema) {
    return copyValues(new SwavModel(uid), ParamMap.empty()).transformSchema(schema);
  }

  @Override
  public SwavEstimator copy(ParamMap extra) {
    return copyValues(new SwavEstimator(uid), extra);
  }

  /** Reads what {@code write()} wrote. */
  public static MLReader<SwavEstimator> read() {
    return new DefaultParamsReader<>();
  }

  /** Reads a stored estimator. */
  public static SwavEstimator load(String path) {
    return read().load(path);
  }

  @Override
  public String toString() {
    return "SwavEstimator: uid=" + uid;
  }
}
