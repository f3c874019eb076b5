package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ShapesSource;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;
import org.swav4j.train.features.Sample;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;
import picocli.CommandLine.Option;

/** {@code evaluate --knn}: the nearest training images vote on each test image. */
final class KnnMeasure extends EvaluationMeasure {
  @Option(
      names = "--knn",
      description = "k-NN: cosine, weighted, temperature 0.07; on shapes also for each factor.")
  boolean asked;

  @Option(
      names = "--neighbours",
      paramLabel = "N",
      defaultValue = "20",
      description = "Nearest training images that vote on each test image (default 20).")
  int neighbours;

  KnnMeasure() {
    super(Labels.ALL, Rows.ALL);
  }

  @Override
  boolean asked() {
    return asked;
  }

  @Override
  void checkFlags() {
    judge();
  }

  private KNearestNeighbours judge() {
    return new KNearestNeighbours(neighbours);
  }

  @Override
  void checkImages(Sample training) {
    if (neighbours > training.size()) {
      throw new IllegalArgumentException(
          "--neighbours is "
              + neighbours
              + ", but only "
              + training.size()
              + " labelled training images can vote: ask for fewer, 20 is usual, or raise"
              + " --train-images");
    }
  }

  @Override
  void add(EvaluationLine line, Evaluated evaluated) {
    KNearestNeighbours judge = judge();
    FeatureSet train = evaluated.train().set();
    FeatureSet test = evaluated.test();
    double accuracy = judge.accuracy(train, test);
    line.add("knn" + neighbours, accuracy);
    line.say(String.format(Locale.ROOT, "%d-NN %.2f %%", neighbours, 100 * accuracy));
    if (DataSpec.parse(evaluated.source().spec()).kind() == DataSpec.Kind.SHAPES) {
      Map<String, Double> factors = new LinkedHashMap<>();
      List<String> figures = new ArrayList<>();
      ShapesSource.factors()
          .forEach(
              (factor, values) -> {
                double alone = judge.accuracy(relabelled(train, values), relabelled(test, values));
                factors.put(factor, alone);
                figures.add(String.format(Locale.ROOT, "%s %.2f %%", factor, 100 * alone));
              });
      line.add("knn" + neighbours + "_factors", factors);
      line.say("(" + String.join(", ", figures) + ")");
    }
  }

  /** The same features, of classes that are values of a factor. */
  private static FeatureSet relabelled(FeatureSet set, List<Integer> values) {
    return new FeatureSet(set.features(), Arrays.stream(set.labels()).map(values::get).toArray());
  }

  /** The run's own last k-NN accuracy and what to give to have it here, if that is something. */
  Optional<String> ownFigure(SourceOptions source, DataSets data, Sample train, Sample test) {
    Path run = source.where.run;
    if (run == null || source.data != null || !asked) {
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
}
