package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.swav4j.data.DataSets;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;
import org.swav4j.train.evaluation.LinearProbe;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.KnnJudge;
import org.swav4j.train.features.Sample;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how well the features of a trained network tell classes apart. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures the accuracy of k-NN and of a linear classifier on the network's features. Images"
          + " need labels, as in a folder per class; training doesn't use them.",
      "Without --knn or --linear: both."
    })
final class EvaluateCommand implements Callable<Integer> {
  @Mixin OutputOptions output;
  @Mixin SourceOptions source;

  @Option(names = "--knn", description = "Only k-NN: cosine, weighted, temperature 0.07.")
  boolean knn;

  @Option(names = "--linear", description = "Only the linear classifier.")
  boolean linear;

  @Option(
      names = "--neighbours",
      paramLabel = "N",
      defaultValue = "20",
      description = "Nearest training images that vote on each test image (default 20).")
  int neighbours;

  @Option(
      names = "--train-images",
      paramLabel = "N",
      defaultValue = "50000",
      description =
          "Labelled training images used, at most (default 50000); of more, a random sample with"
              + " each class in proportion.")
  int trainImages;

  @Option(
      names = "--test-images",
      paramLabel = "N",
      defaultValue = "10000",
      description = "Test images used, at most, chosen likewise (default 10000).")
  int testImages;

  @Option(
      names = "--linear-epochs",
      paramLabel = "N",
      description = "Epochs for which the linear classifier is trained (default 100).")
  Integer linearEpochs;

  @Option(
      names = "--linear-lr",
      paramLabel = "RATE",
      description =
          "Learning rate of the linear classifier (default 2, for standardised features).")
  Double linearRate;

  @Option(names = "--pixels", description = "Measure the same on raw pixels too, for comparison.")
  boolean pixels;

  @Override
  public Integer call() {
    if (trainImages < 1 || testImages < 1) {
      throw new IllegalArgumentException(
          "--train-images is "
              + trainImages
              + " and --test-images "
              + testImages
              + ", expected at least 1 of each");
    }
    KNearestNeighbours judge = new KNearestNeighbours(neighbours);
    SourceOptions.Opened o = source.open(output);
    Optional<String> obstacle = KnnJudge.obstacle(o.data());
    if (obstacle.isPresent()) {
      throw new IllegalArgumentException(
          o.spec()
              + " can't be used to judge features: "
              + obstacle.get()
              + o.data().layout().stream().findFirst().map(l -> "; " + l).orElse(""));
    }
    Sample train = Sample.labelled(o.data().train(), trainImages);
    Sample test = Sample.labelled(o.data().test(), testImages);
    if (neighbours > train.size()) {
      throw new IllegalArgumentException(
          "--neighbours is "
              + neighbours
              + ", but only "
              + train.size()
              + " labelled training images can vote: ask for fewer, 20 is usual, or raise"
              + " --train-images");
    }
    o.data().notes().forEach(note -> output.note("%s", note));
    try (Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine())) {
      judge(
          "features",
          embedder.collect(train, encoder::features),
          embedder.collect(test, encoder::features),
          judge,
          train.classes());
      ownFigure(o.data(), train, test).ifPresent(output.err()::println);
      if (pixels) {
        Embedder.Network raw = images -> images.dup('c').reshape(images.size(0), -1);
        judge(
            "pixels",
            embedder.collect(train, raw),
            embedder.collect(test, raw),
            judge,
            train.classes());
      }
      embedder.remarks().forEach(remark -> output.err().println(remark));
      if (!embedder.skipped().isEmpty()) {
        output.err().println(embedder.skipped());
      }
    }
    return 0;
  }

  /** The run's own last k-NN accuracy and what to give to have it here, if that is something. */
  private Optional<String> ownFigure(DataSets data, Sample train, Sample test) {
    Path run = source.where.run;
    if (run == null || source.data != null || (linear && !knn)) {
      return Optional.empty();
    }
    RunFolder folder = RunFolder.existing(run);
    if (!Files.exists(folder.metrics())) {
      return Optional.empty();
    }
    TrainingConfig config = folder.readConfig();
    TrainingConfig.Evaluation own = config.evaluation();
    List<String> flags = new ArrayList<>();
    add(flags, "--neighbours", neighbours, own.neighbours());
    int voted = Sample.labelled(data.train(), own.bankImages()).size();
    add(flags, "--train-images", train.size(), voted);
    int tested = Sample.labelled(data.test(), own.testImages()).size();
    add(flags, "--test-images", test.size(), tested);
    if (source.size != null) {
      add(flags, "--size", source.size, config.evaluationSize());
    }
    List<EpochMetrics> epochs = epochs(folder);
    EpochMetrics last = epochs.isEmpty() ? null : epochs.get(epochs.size() - 1);
    return last == null || !last.hasKnn() || flags.isEmpty()
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "the run's own k-NN accuracy, %.2f %%, is of %d neighbours among %d images, %d test"
                    + " images: %s gives it here",
                100 * last.knn(),
                own.neighbours(),
                voted,
                tested,
                String.join(" ", flags)));
  }

  private static void add(List<String> flags, String flag, int here, int own) {
    if (here != own) {
      flags.add(flag + " " + own);
    }
  }

  private static List<EpochMetrics> epochs(RunFolder folder) {
    try {
      return MetricsLog.epochs(folder.metrics());
    } catch (IOException e) {
      throw new UncheckedIOException(folder.metrics() + " can't be read: " + e.getMessage(), e);
    }
  }

  private void judge(
      String of,
      FeatureSet train,
      FeatureSet test,
      KNearestNeighbours judge,
      List<String> classes) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "evaluate");
    fields.put("of", of);
    fields.put("train_images", train.size());
    fields.put("test_images", test.size());
    fields.put("dim", train.dim());
    fields.put("classes", classes);
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "%-8s  %d training and %d test images, %d numbers each",
                of,
                train.size(),
                test.size(),
                train.dim()));
    if (knn || !linear) {
      double accuracy = judge.accuracy(train, test);
      fields.put("knn" + neighbours, accuracy);
      text.append(String.format(Locale.ROOT, "  %d-NN %.2f %%", neighbours, 100 * accuracy));
    }
    if (linear || !knn) {
      LinearProbe probe = new LinearProbe();
      probe = linearEpochs == null ? probe : probe.withEpochs(linearEpochs);
      probe = linearRate == null ? probe : probe.withLearningRate(linearRate);
      LinearProbe.Result result = probe.evaluate(train, test);
      fields.put("linear", result.top1());
      fields.put("linear_train", result.trainTop1());
      text.append(
          String.format(
              Locale.ROOT,
              "  linear %.2f %% (training images %.2f %%)",
              100 * result.top1(),
              100 * result.trainTop1()));
    }
    output.result(fields, text.toString());
  }
}
