package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.apache.spark.SparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.data.ImageSource;
import org.swav4j.data.ShapesSource;
import org.swav4j.spark.job.Jobs;
import org.swav4j.spark.job.StoredImages;
import org.swav4j.spark.job.TrainingJob;
import org.swav4j.train.config.Preset;
import org.swav4j.train.loop.TrainingException;
import org.swav4j.train.report.TensorBoardReport;

/** Training on two executors in processes of their own. */
class TrainingTest {
  private static final int EPOCHS = 8;
  private static final int STEPS = 3;
  private static final int IMAGES = 48;

  /** Columns of workers.csv. */
  private static final int EXECUTOR = 2;

  private static final int IN_SUMS = 5;

  private static final int WAITING_FOR_IMAGES = 6;
  private static final int NORMS = 7;
  private static final int CODES = 8;
  private static final int GRADIENTS_LEFT = 9;

  @TempDir static Path folder;
  private static Path images;
  private static SparkContext context;

  /** Of driver and executors while the uninterrupted run is trained. */
  private static List<TcpSocket> sockets;

  @BeforeAll
  static void cluster() throws IOException {
    context = LocalCluster.session().sparkContext();
    FaultyDisk.use(context.hadoopConfiguration(), true);
    images = Files.createDirectory(folder.resolve("images"));
    ImageSource shapes = ShapesSource.open(IMAGES).train();
    for (int i = 0; i < IMAGES; i++) {
      Files.write(images.resolve("shape-" + i + ".png"), SwavModelTest.png(shapes, i));
    }
  }

  @AfterAll
  static void leaveTheDisk() {
    FaultyDisk.use(context.hadoopConfiguration(), false);
  }

  private static Map<String, String> settings(String... changes) {
    Map<String, String> settings = new HashMap<>();
    List<String> all =
        new ArrayList<>(
            List.of(
                "data=shapes:" + IMAGES,
                "crops=2x16",
                "scales=0.3-1",
                "width=0.25",
                "hidden=32",
                "dim=16",
                "prototypes=8",
                "batch=16",
                "queue=32",
                "queue-start=1",
                "epochs=" + EPOCHS,
                "eval-every=0",
                "workers=1",
                "seed=5"));
    all.addAll(List.of(changes));
    settings.putAll(TrainingJob.settings(all));
    return settings;
  }

  private static TrainingJob job(int workers, int minWorkers, int retries) {
    return new TrainingJob(
        context, new TrainingJob.Options(workers, minWorkers, retries, Duration.ofSeconds(60)));
  }

  private static String begin(TrainingJob job, Path run, String... changes) {
    return job.begin(
        Preset.QUICK.config(), settings(changes), data -> null, run.toUri().toString());
  }

  private static String beginOnImages(TrainingJob job, Path run) {
    return job.begin(
        Preset.QUICK.config(),
        settings("data=" + images.toUri()),
        TrainingTest::listed,
        run.toUri().toString());
  }

  private static StoredImages.Listing listed(String data) {
    return StoredImages.isUri(data) ? StoredImages.list(data, context.hadoopConfiguration()) : null;
  }

  private static List<Long> allSteps() {
    return LongStream.range(0, EPOCHS * STEPS).boxed().toList();
  }

  private static List<Long> steps(Path run) throws IOException {
    Pattern step = Pattern.compile("\"kind\":\"step\".*?\"step\":(\\d+)");
    List<Long> steps = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      Matcher matcher = step.matcher(line);
      if (matcher.find()) {
        steps.add(Long.parseLong(matcher.group(1)));
      }
    }
    return steps;
  }

  private static List<ProcessHandle> executors() {
    return ProcessHandle.current()
        .descendants()
        .filter(p -> p.info().command().orElse("").endsWith("java"))
        .toList();
  }

  private static void awaitEpochs(Path run, int count) throws Exception {
    Path workers = run.resolve("workers.csv");
    for (int i = 0; i < 1200; i++) {
      if (Files.exists(workers) && Files.readAllLines(workers).size() > 2 * count) {
        return;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("no epoch in a minute");
  }

  /** An uninterrupted run on the images in the folder, trained for who asks first. */
  private static synchronized Path whole() throws Exception {
    Path run = folder.resolve("whole");
    if (!Files.exists(run)) {
      CompletableFuture<String> training =
          CompletableFuture.supplyAsync(() -> beginOnImages(job(2, 2, 0), run));
      awaitEpochs(run, 2);
      List<TcpSocket> open = new ArrayList<>();
      if (TcpSocket.areTold()) {
        open.addAll(TcpSocket.of(ProcessHandle.current().pid()));
        for (ProcessHandle executor : executors()) {
          open.addAll(TcpSocket.of(executor.pid()));
        }
      }
      assertThat(training).isNotDone();
      sockets = List.copyOf(open);
      training.get(240, TimeUnit.SECONDS);
    }
    return run;
  }

  /** What a run leaves that met with failures: the same weights, each step told of once. */
  private static void requireWhole(Path run, int attempts) throws Exception {
    assertThat(run.resolve("weights.safetensors"))
        .hasSameBinaryContentAs(whole().resolve("weights.safetensors"));
    assertThat(steps(run)).isEqualTo(allSteps());
    List<String[]> times = times(run);
    assertThat(times.stream().map(line -> line[0] + " " + line[1]))
        .as("a line for each epoch and worker")
        .isEqualTo(
            IntStream.range(0, 2 * EPOCHS).mapToObj(i -> (1 + i / 2) + " " + i % 2).toList());
    assertThat(run.toFile().list())
        .contains("report.html", "report.png", "config.json")
        .as("replaced as a whole")
        .noneMatch(n -> n.endsWith(".crc"));
    assertThat(run.resolve("report.html")).content().contains(run.getFileName().toString());
    // It went on: it did not begin anew.
    List<String> starts =
        Files.readAllLines(run.resolve("metrics.jsonl")).stream()
            .filter(line -> line.contains("\"kind\":\"start\""))
            .toList();
    assertThat(starts).hasSizeGreaterThanOrEqualTo(attempts);
    assertThat(starts.subList(1, starts.size())).noneMatch(line -> line.contains("\"step\":0,"));
  }

  /** Lines of workers.csv: each epoch's of worker 0, then that of worker 1. */
  private static List<String[]> times(Path run) throws IOException {
    return Files.readAllLines(run.resolve("workers.csv")).stream()
        .skip(1)
        .map(line -> line.split(","))
        .toList();
  }

  @Test
  void timeInSumsIsToldApartByWhatIsSummed() throws Exception {
    assertThat(Files.readAllLines(whole().resolve("workers.csv")).get(0))
        .isEqualTo(
            "epoch,worker,executor,address,seconds,in_sums_share,waiting_for_images_share,"
                + "norms_share,codes_share,gradients_left_share");
    for (String[] line : times(whole())) {
      assertThat(seconds(line, NORMS)).isPositive();
      assertThat(seconds(line, CODES)).isPositive();
      assertThat(seconds(line, NORMS) + seconds(line, CODES))
          .as("loss, digests and others remain")
          .isLessThan(seconds(line, IN_SUMS));
      assertThat(
              seconds(line, IN_SUMS)
                  + seconds(line, GRADIENTS_LEFT)
                  + seconds(line, WAITING_FOR_IMAGES))
          .as("computing remains")
          .isLessThan(Double.parseDouble(line[4]));
    }
  }

  @Test
  void trafficGoesOverTheLoopbackInterfaceOnly() throws Exception {
    assumeTrue(TcpSocket.areTold(), "/proc tells of sockets on Linux only");
    String[] first = times(whole()).get(0);
    assertThat(sockets).allMatch(TcpSocket::isLoopback);
    List<Integer> ports =
        times(whole()).stream()
            .map(line -> Integer.parseInt(line[3].substring(line[3].lastIndexOf(':') + 1)))
            .distinct()
            .toList();
    assertThat(ports).as("one of each worker, from " + first[3]).hasSize(2);
    assertThat(sockets.stream().filter(TcpSocket::listening).map(TcpSocket::port))
        .as("sums go to")
        .containsAll(ports);
    assertThat(sockets.stream().filter(s -> !s.listening()).map(TcpSocket::port))
        .as("sums come in")
        .containsAll(ports);
  }

  @Test
  void aRunWhoseExecutorIsKilledEndsWithTheWeightsOfAnUninterruptedOne() throws Exception {
    requireWhole(whole(), 1);
    Path killed = folder.resolve("killed");
    CompletableFuture<String> run =
        CompletableFuture.supplyAsync(() -> beginOnImages(job(2, 2, 3), killed));
    awaitEpochs(killed, 2);
    assertThat(run).isNotDone();
    executors().get(0).destroyForcibly();
    assertThat(run.get(240, TimeUnit.SECONDS)).endsWith("weights.safetensors");
    requireWhole(killed, 2);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aRunWhoseExecutorHangsEndsWithTheWeightsOfAnUninterruptedOne() throws Exception {
    whole();
    Path hung = folder.resolve("hung");
    TrainingJob job =
        Jobs.of(
            context,
            new TrainingJob.Options(2, 2, 3, Duration.ofSeconds(8)),
            new Jobs.Waits(Duration.ofSeconds(60), Duration.ofSeconds(3)));
    CompletableFuture<String> run = CompletableFuture.supplyAsync(() -> beginOnImages(job, hung));
    awaitEpochs(hung, 2);
    assertThat(run).isNotDone();
    ProcessHandle stopped = executors().get(0);
    // It answers nobody, and no request to end.
    assertThat(new ProcessBuilder("kill", "-STOP", "" + stopped.pid()).start().waitFor()).isZero();
    assertThat(run.get(240, TimeUnit.SECONDS)).endsWith("weights.safetensors");
    assertThat(stopped.isAlive()).isFalse();
    requireWhole(hung, 2);
  }

  @Test
  void aWorkerThatFailsOnceOrIsSlowOnceChangesNothing() throws Exception {
    Path run = folder.resolve("faults");
    CompletableFuture<String> training =
        CompletableFuture.supplyAsync(() -> beginOnImages(job(2, 2, 3), run));
    awaitEpochs(run, 1);
    FaultyDisk.pauseOnce(images);
    awaitEpochs(run, 4);
    assertThat(training).isNotDone();
    FaultyDisk.failOnce(images);
    assertThat(training.get(240, TimeUnit.SECONDS)).endsWith("weights.safetensors");
    requireWhole(run, 2);
    List<String[]> lines = times(run);
    int slow =
        IntStream.range(0, lines.size())
            .boxed()
            .max(Comparator.comparing(i -> seconds(lines.get(i), WAITING_FOR_IMAGES)))
            .orElseThrow();
    int other = slow % 2 == 0 ? slow + 1 : slow - 1;
    double pause = FaultyDisk.PAUSE.toSeconds();
    assertThat(seconds(lines.get(slow), WAITING_FOR_IMAGES)).isGreaterThan(pause / 2);
    assertThat(seconds(lines.get(other), IN_SUMS))
        .isGreaterThan(seconds(lines.get(slow), IN_SUMS) + pause / 4);
  }

  /** Seconds of an epoch that a share in a line of workers.csv stands for. */
  private static double seconds(String[] line, int column) {
    return Double.parseDouble(line[4]) * Double.parseDouble(line[column]);
  }

  @Test
  void aRunWhoseExecutorIsNotReplacedGoesOnWithFewerWorkers() throws Exception {
    Path run = folder.resolve("fewer");
    TrainingJob job =
        Jobs.of(
            context,
            new TrainingJob.Options(2, 1, 3, Duration.ofSeconds(60)),
            new Jobs.Waits(Duration.ofSeconds(3), Duration.ofSeconds(10)));
    CompletableFuture<String> training = CompletableFuture.supplyAsync(() -> begin(job, run));
    awaitEpochs(run, 2);
    try {
      // Unlike one that dies, an executor that is given back is not replaced.
      context.killExecutor(times(run).get(0)[EXECUTOR]);
      assertThat(training.get(240, TimeUnit.SECONDS)).endsWith("weights.safetensors");
    } finally {
      context.requestTotalExecutors(2, 0, scala.collection.immutable.Map$.MODULE$.empty());
    }
    assertThat(steps(run)).isEqualTo(allSteps());
    assertThat(Files.readAllLines(run.resolve("metrics.jsonl")))
        .filteredOn(line -> line.contains("\"kind\":\"start\""))
        .last()
        .matches(line -> line.contains("1 workers on Spark"), "goes on with one worker");
  }

  /**
   * Of the driver nothing is left but the run folder. Its first attempt ended before any epoch, the
   * second after some, and the third ends the run.
   */
  @Test
  void aDriverThatIsStartedAgainEndsWithTheWeightsOfAnUninterruptedRun() throws Exception {
    Path run = folder.resolve("driver");
    TrainingJob.Options options = new TrainingJob.Options(2, 2, 0, Duration.ofSeconds(60));
    Jobs.leave(
        Jobs.attempt(context, options, "1"),
        Preset.QUICK.config(),
        settings("data=" + images.toUri()),
        run.toUri().toString());
    Files.writeString(run.resolve("config.json"), "of the first attempt");
    CompletableFuture<String> training =
        CompletableFuture.supplyAsync(
            () -> beginOnImages(Jobs.attempt(context, options, "2"), run));
    awaitEpochs(run, 2);
    assertThat(training).isNotDone();
    context.cancelAllJobs();
    assertThatThrownBy(() -> training.get(60, TimeUnit.SECONDS))
        .hasMessageContaining("training failed 1 times")
        .hasMessageContaining("its last checkpoint is in");
    assertThat(steps(run)).hasSizeLessThan(allSteps().size());
    for (TrainingJob other : List.of(job(2, 2, 0), Jobs.attempt(context, options, "2"))) {
      assertThatThrownBy(() -> beginOnImages(other, run))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("already holds a run: resume it");
    }
    beginOnImages(Jobs.attempt(context, options, "3"), run);
    requireWhole(run, 2);
    // Nothing is left to do for one that ends after its training, and is started again.
    assertThat(beginOnImages(Jobs.attempt(context, options, "4"), run))
        .endsWith("weights.safetensors");
    requireWhole(run, 3);
  }

  @Test
  void aRunGoesOnWithOtherNumbersOfWorkersAndOnlyOnItsImages() throws IOException {
    // Through a mount, which is none of the local file systems: files are renamed as on HDFS.
    context
        .hadoopConfiguration()
        .set("fs.viewfs.mounttable.training.link./all", folder.toUri().toString());
    String uri = "viewfs://training/all/resumed";
    Path run = folder.resolve("resumed");
    job(2, 0, 0)
        .begin(Preset.QUICK.config(), settings("epochs=1", "tensorboard=true"), data -> null, uri);
    Path events = run.resolve("tensorboard").resolve(TensorBoardReport.FILE);
    byte[] before = Files.readAllBytes(events);
    TrainingJob one = job(1, 0, 0);
    assertThatThrownBy(
            () -> one.resume(Map.of("epochs", "2", "data", "shapes:64"), data -> null, uri))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("48 images");
    assertThatThrownBy(() -> one.resume(Map.of("dim", "8"), data -> null, uri))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("start a new run");
    assertThat(one.resume(Map.of("epochs", "2"), data -> null, uri))
        .endsWith("weights.safetensors");
    assertThat(Files.readAllBytes(events)).startsWith(before).hasSizeGreaterThan(before.length);
    assertThatThrownBy(
            () -> one.resume(Map.of(), data -> null, folder.resolve("none").toUri().toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no checkpoint");
  }

  @Test
  void whatCanNotWorkIsRefusedBeforeAnyJob() throws IOException {
    Path run = folder.resolve("refused");
    assertThatThrownBy(() -> begin(job(2, 0, 0), run, "batch=15"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("14 or 16");
    TrainingJob three =
        new TrainingJob(context, new TrainingJob.Options(3, 0, 0, Duration.ofSeconds(1)));
    assertThatThrownBy(() -> begin(three, run, "batch=15"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 workers are wanted and there are 2 executors after 1 s")
        .hasMessageContaining("--num-executors");
    assertThatThrownBy(
            () ->
                job(2, 0, 0)
                    .begin(
                        Preset.QUICK.config(),
                        settings("data=" + images.toUri(), "holdout=0.1"),
                        TrainingTest::listed,
                        run.toUri().toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("`holdout` is 0.1")
        .hasMessageContaining("leave it out");
    assertThatThrownBy(() -> begin(job(2, 0, 0), run, "batch=64"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("48 training images");
    context.conf().set("spark.dynamicAllocation.enabled", "true");
    try {
      assertThatThrownBy(() -> begin(job(2, 0, 0), run))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("dynamicAllocation");
    } finally {
      context.conf().remove("spark.dynamicAllocation.enabled");
    }
    context.conf().set("spark.executor.cores", "4");
    try {
      assertThatThrownBy(() -> begin(job(2, 0, 0), run))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("spark.task.cpus to 4");
    } finally {
      context.conf().remove("spark.executor.cores");
    }
    assertThat(run).doesNotExist();
    Files.createDirectory(run);
    Files.writeString(run.resolve("notes.txt"), "of someone else");
    assertThatThrownBy(() -> begin(job(2, 0, 0), run))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("notes.txt");
  }

  @Test
  void imagesThatCanNotBeReadAreToldOfAndOthersStandInForThemUpToTheShareThatIsAllowed()
      throws IOException {
    Path some = Files.createDirectory(folder.resolve("some-torn"));
    for (int i = 0; i < 20; i++) {
      Path to = some.resolve(i + ".png");
      Files.copy(images.resolve("shape-" + i + ".png"), to);
      if (i >= 16) {
        Files.write(to, Arrays.copyOf(Files.readAllBytes(to), 60));
      }
    }
    Path run = folder.resolve("of-some-torn");
    String data = "data=" + some.toUri();
    Function<String, String> withShare =
        share ->
            job(2, 0, 0)
                .begin(
                    Preset.QUICK.config(),
                    settings(data, "epochs=1", "batch=20", "queue=0", "allow-broken=" + share),
                    TrainingTest::listed,
                    run.toUri().toString());
    assertThatThrownBy(() -> withShare.apply("0.19"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4 of 20 images (20.0 %) in ")
        .hasMessageContaining(".png")
        .hasMessageContaining("`allowBroken`");
    assertThat(run).doesNotExist();
    try (Warnings warnings = new Warnings(TrainingJob.class)) {
      assertThat(withShare.apply("0.2")).endsWith("weights.safetensors");
      assertThat(warnings.lines())
          .hasSize(1)
          .first()
          .asString()
          .startsWith("4 of 20 images (20.0 %) can't be read, others stand in for them: ")
          .contains(".png");
    }
    assertThat(steps(run)).containsExactly(0L);
  }

  /** What a class warns of while this is open. */
  private static final class Warnings implements AutoCloseable {
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Logger logger;
    private final Level before;
    private final Appender appender =
        new AbstractAppender("warnings", null, null, true, Property.EMPTY_ARRAY) {
          @Override
          public void append(LogEvent event) {
            if (event.getLevel() == Level.WARN) {
              lines.add(event.getMessage().getFormattedMessage());
            }
          }
        };

    Warnings(Class<?> of) {
      logger = (Logger) LogManager.getLogger(of);
      before = logger.getLevel();
      appender.start();
      logger.addAppender(appender);
      logger.setLevel(Level.WARN);
    }

    List<String> lines() {
      return lines;
    }

    @Override
    public void close() {
      logger.setLevel(before);
      logger.removeAppender(appender);
      appender.stop();
    }
  }

  @Test
  void aFailureThatWouldComeAgainEndsTheRunAtOnceAndSaysWhy() {
    assertThatThrownBy(
            () ->
                begin(
                    job(2, 0, 3),
                    folder.resolve("diverged"),
                    "optimiser=sgd",
                    "lr=999",
                    "start-lr=999",
                    "final-lr=999",
                    "warmup=0",
                    "wd=0.9"))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("worker ")
        .hasMessageContaining("learningRate")
        .hasMessageNotContaining("is gone");
  }
}
