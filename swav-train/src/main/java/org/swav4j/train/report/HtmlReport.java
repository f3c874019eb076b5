package org.swav4j.train.report;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.CropSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.evaluation.IndexedFeatures;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.Sample;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;

/**
 * A run as a page to look at, {@code report.html}: curves, the crops the network saw, prototypes, a
 * map of the features and neighbours in it, settings, environment, data and advice. One file that
 * needs no network and no server.
 *
 * <p>Curves and crops are new after each epoch. What the network makes of images is looked at again
 * as often as that takes at most a twentieth of the time, and after the last epoch. Not
 * thread-safe.
 */
public final class HtmlReport implements RunReport {
  /** Its name in the run folder. */
  public static final String FILE = "report.html";

  /** Images that are embedded, at most. */
  private static final int SAMPLE = 2000;

  /** Images whose crops are shown, at most. */
  private static final int CROPPED = 8;

  /** Sides in pixels, at most. */
  private static final int THUMBNAIL = 48;

  private static final int CROP = 160;

  /** Stretches of steps whose mean loss is drawn, at most. */
  private static final int STRETCHES = 1000;

  /** Characters of a name. */
  private static final int NAME = 160;

  /** Of the time since the last look at images, what the next may take. */
  private static final double SHARE = 0.05;

  private static final int THUMBNAIL_BYTES = 1_200_000;
  private static final int CROP_BYTES = 300_000;

  private final TrainingConfig config;
  private final RunData data;
  private final Engine engine;
  private final Supplier<SwavWeights> weights;
  private RunView.SampleView seen;
  private long seenAt;

  /** For every run. */
  public static final class Provider implements ReportProvider {
    @Override
    public String file() {
      return FILE;
    }

    @Override
    public Optional<RunReport> report(ReportedRun run) {
      return Optional.of(new HtmlReport(run));
    }
  }

  /**
   * A run on a page.
   *
   * @param report on the run
   * @param folder that it is kept in
   * @param run so far
   */
  public record Side(HtmlReport report, Path folder, RunRecord run) {}

  /** A report on one run. */
  public HtmlReport(ReportedRun run) {
    this.config = run.config();
    this.data = run.data();
    this.engine = run.engine().withPrecision(Precision.FLOAT);
    this.weights = run.weights();
  }

  @Override
  public void write(Path folder, RunRecord run) throws IOException {
    Page.write(folder.resolve(FILE), List.of(view(folder, run)));
  }

  /**
   * Writes a page that shows runs side by side.
   *
   * @param file to be made or replaced
   * @param sides one or two
   * @throws IOException if it can't be written
   */
  public static void write(Path file, List<Side> sides) throws IOException {
    List<RunView> views = new ArrayList<>();
    for (Side side : sides) {
      views.add(side.report.view(side.folder, side.run));
    }
    Page.write(file, views);
  }

  private RunView view(Path folder, RunRecord run) throws IOException {
    Path metrics = new RunFolder(folder).metrics();
    List<JsonObject> log = Files.exists(metrics) ? MetricsLog.entries(metrics) : List.of();
    EpochMetrics now = run.epochs().get(run.epochs().size() - 1);
    RunSizes sizes = RunSizes.of(config, data.images());
    Preset preset = closest();
    return new RunView(
        folder.toAbsolutePath().normalize().getFileName().toString(),
        config.method().label(),
        ZonedDateTime.now()
            .truncatedTo(ChronoUnit.SECONDS)
            .format(DateTimeFormatter.ISO_OFFSET_DATE_TIME),
        new RunView.Length(sizes.epochs(), sizes.stepsPerEpoch()),
        Double.isNaN(run.rawPixels()) ? null : run.rawPixels(),
        run.epochs().stream().map(MetricsLog::json).toList(),
        steps(log.stream().filter(e -> is("step", e)).toList()),
        advice(log),
        preset.label(),
        settings(preset),
        log.stream().filter(e -> is("start", e)).toList(),
        data(),
        data.sets().isEmpty() ? null : crops(data.sets().get().train(), Math.max(1, now.epoch())),
        data.sets().isEmpty() ? null : sample(now.epoch(), sizes.epochs()));
  }

  private static boolean is(String kind, JsonObject entry) {
    return entry.get("kind").getAsString().equals(kind);
  }

  private static RunView.Steps steps(List<JsonObject> log) {
    int every = Math.max(1, (log.size() + STRETCHES - 1) / STRETCHES);
    RunView.Steps steps =
        new RunView.Steps(every, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (int from = 0; from < log.size(); from += every) {
      List<JsonObject> stretch = log.subList(from, Math.min(log.size(), from + every));
      JsonObject end = stretch.get(stretch.size() - 1);
      double loss =
          stretch.stream()
              .filter(e -> e.has("loss"))
              .mapToDouble(e -> e.get("loss").getAsDouble())
              .average()
              .orElse(Double.NaN);
      steps.step().add(end.get("step").getAsLong() + 1);
      steps.loss().add(Double.isNaN(loss) ? null : loss);
      steps.learningRate().add(end.has("lr") ? end.get("lr").getAsDouble() : null);
    }
    return steps;
  }

  private static List<RunView.Advice> advice(List<JsonObject> log) {
    List<RunView.Advice> all = new ArrayList<>();
    for (JsonObject entry : log) {
      if (entry.has("advice")) {
        long done = entry.get("step").getAsLong() + (is("step", entry) ? 1 : 0);
        entry
            .getAsJsonArray("advice")
            .forEach(a -> all.add(new RunView.Advice(done, Settings.withFlags(a.getAsString()))));
      }
    }
    return all;
  }

  private Preset closest() {
    return Arrays.stream(Preset.values())
        .min(Comparator.comparingInt(p -> Settings.differences(p.config(), config).size()))
        .orElseThrow();
  }

  private List<RunView.Value> settings(Preset preset) {
    TrainingConfig base = preset.config();
    return Settings.all().stream()
        .map(
            f ->
                new RunView.Value(
                    f.setting().flag(), f.in(config), f.in(base), Settings.withFlags(f.help())))
        .toList();
  }

  private RunView.Data data() {
    List<String> classes = data.sets().map(s -> s.train().classes()).orElse(List.of());
    int[] perClass = new int[classes.size()];
    data.sets()
        .ifPresent(
            s ->
                IntStream.range(0, s.train().size())
                    .map(s.train()::label)
                    .filter(label -> label >= 0)
                    .forEach(label -> perClass[label]++));
    return new RunView.Data(
        config.data().spec(),
        data.images(),
        data.sets().map(s -> s.test().size()).orElse(null),
        data.channels(),
        classes.stream().map(HtmlReport::shortened).toList(),
        Arrays.stream(perClass).boxed().toList(),
        data.digest());
  }

  /** The first images of an epoch: what the loader renders depends on seed, epoch and image. */
  private RunView.Crops crops(ImageSource images, int epoch) {
    int count = Math.min(CROPPED, images.size());
    Normalisation normalisation = config.data().normalisation();
    try (MultiCropLoader loader =
            new MultiCropLoader(
                images,
                config.crops(),
                config.augmentation(),
                normalisation,
                count,
                config.execution().seed(),
                config.execution().workers());
        MultiCropBatch batch = loader.epoch(epoch - 1).iterator().next()) {
      List<RunView.Group> groups = new ArrayList<>();
      for (int g = 0; g < batch.groups(); g++) {
        CropSpec spec = config.crops().get(g);
        Sheet sheet = new Sheet(Math.min(CROP, spec.size()), spec.count() * count, normalisation);
        sheet.add(batch.crops(g));
        groups.add(
            new RunView.Group(
                spec.count(),
                spec.size(),
                spec.minScale(),
                spec.maxScale(),
                sheet.encode(CROP_BYTES)));
      }
      return new RunView.Crops(
          epoch, groups, Arrays.stream(batch.indices()).mapToObj(i -> name(images, i)).toList());
    }
  }

  private RunView.SampleView sample(int epoch, int epochs) {
    if (epoch == 0) {
      return null; // an untrained network has nothing to show
    }
    boolean due =
        seen == null
            || epoch >= epochs
            || SHARE * (System.nanoTime() - seenAt) >= 1e9 * seen.seconds();
    if (due) {
      SwavWeights now = weights.get();
      try {
        seen = look(Sample.of(data.sets().orElseThrow().train(), sampled()), now, epoch);
      } finally {
        now.parameters().values().forEach(INDArray::close);
        now.statistics().values().forEach(INDArray::close);
      }
      seenAt = System.nanoTime();
    }
    return seen;
  }

  /** Of the images that vote in k-NN, as many as a page can hold. */
  private int sampled() {
    return Math.min(SAMPLE, config.evaluation().bankImages());
  }

  private RunView.SampleView look(ImageSource images, SwavWeights weights, int epoch) {
    long begin = System.nanoTime();
    Normalisation normalisation = config.data().normalisation();
    InputSize size = InputSize.of(config.evaluationSize());
    try (Embedder embedder = new Embedder(size, normalisation, config.execution().workers());
        SwavEncoder encoder = SwavEncoder.ofNormalised(weights, engine)) {
      Sheet thumbnails =
          new Sheet(Math.min(THUMBNAIL, embedder.size()), images.size(), normalisation);
      IndexedFeatures rows =
          embedder.collectIndexed(images, encoder::featuresAndEmbeddings, thumbnails::add);
      Gallery gallery = gallery(rows, weights);
      Sheet.Encoded sheet = thumbnails.encode(THUMBNAIL_BYTES);
      return new RunView.SampleView(
          epoch,
          Arrays.stream(rows.images()).mapToObj(i -> name(images, i)).toList(),
          sheet,
          gallery,
          (System.nanoTime() - begin) / 1e9);
    }
  }

  private Gallery gallery(IndexedFeatures rows, SwavWeights weights) {
    long width = weights.features();
    try (INDArray all = rows.set().features();
        INDArray features = columns(all, 0, width);
        INDArray embeddings = columns(all, width, all.size(1))) {
      // Of several heads the first, which is a clustering of its own.
      INDArray prototypes =
          config.method().clusters()
              ? weights
                  .parameters()
                  .get(SwavMethod.PROTOTYPES)
                  .get(NDArrayIndex.interval(0, config.network().prototypes()))
              : null;
      return Gallery.of(features, embeddings, prototypes, rows.set().labels());
    }
  }

  private static INDArray columns(INDArray rows, long from, long to) {
    return rows.get(NDArrayIndex.all(), NDArrayIndex.interval(from, to)).dup('c');
  }

  private static String name(ImageSource images, int index) {
    return shortened(images.relativePath(index).orElseGet(() -> images.describe(index)));
  }

  /** With its end, which tells files of one folder apart. */
  private static String shortened(String name) {
    return name.length() <= NAME ? name : "\u2026" + name.substring(name.length() - NAME + 1);
  }
}
