package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ShapesSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.answers.Clustering;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.evaluation.AlphaReq;
import org.swav4j.train.evaluation.ClusterAgreement;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.FewLabels;
import org.swav4j.train.evaluation.IndexedFeatures;
import org.swav4j.train.evaluation.KNearestNeighbours;
import org.swav4j.train.evaluation.LinearProbe;
import org.swav4j.train.evaluation.RankMe;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.FeatureJudge;
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
      "Measures how good the network's features are: by the accuracy of k-NN and of a linear"
          + " classifier on them, after fine-tuning with few labels, by the clusters of its"
          + " prototypes, and by the rank of the features. --rank needs no labels, --clusters those of"
          + " test images, all else those of training images too, as in a folder per class; training"
          + " doesn't use them.",
      "Without one of --knn, --linear, --clusters, --rank, --draws and --fine-tune: --knn --linear.",
      "With --data other than the run's it measures transfer: the images are resized and normalised"
          + " as those of the run were, and their own labels count."
    })
final class EvaluateCommand implements Callable<Integer> {
  /** Learning rates that the official protocol chooses from, for standardised features. */
  private static final List<Double> RATES = List.of(0.1, 0.3, 1.0, 3.0, 10.0);

  @Mixin OutputOptions output;
  @Mixin SourceOptions source;

  @Option(
      names = "--knn",
      description = "k-NN: cosine, weighted, temperature 0.07; on shapes also for each factor.")
  boolean knn;

  @Option(names = "--linear", description = "The linear classifier.")
  boolean linear;

  @Option(
      names = "--clusters",
      description =
          "Whether the prototypes that test images are nearest to agree with their classes:"
              + " normalised mutual information, adjusted Rand index, purity, and accuracy with each"
              + " class given one prototype (Hungarian method).")
  boolean clusters;

  @Option(
      names = "--rank",
      description =
          "RankMe of the training images' features: how many directions they really use, from 1 to"
              + " their length; and alpha-ReQ, the exponent with which the directions lose weight,"
              + " best near 1. Needs no labels.")
  boolean rank;

  @Option(
      names = "--fine-tune",
      description =
          "Trains the trunk and a linear classifier together with few labels (--labels), and"
              + " measures the accuracy on test images. Minutes to hours.")
  boolean fineTune;

  @Option(
      names = "--draws",
      paramLabel = "N",
      description =
          "Fits the classifier of 'swav classify' to few labels (--labels, such as 20), drawn N"
              + " times: mean accuracy on test images, its spread, and the accuracy of each class.")
  Integer draws;

  @Mixin FineTuneOptions fineTuning;

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

  /** How the linear classifier is fitted. */
  enum LinearProtocol {
    FAST,
    OFFICIAL
  }

  @Option(
      names = "--linear-protocol",
      paramLabel = "NAME",
      defaultValue = "fast",
      description =
          "How the linear classifier learns: fast (default; the images as they are, one learning"
              + " rate), or official (random crops and flips, the learning rate that does best on a"
              + " tenth of the training images), as published figures are made.")
  LinearProtocol linearProtocol;

  @Option(
      names = "--linear-views",
      paramLabel = "N",
      defaultValue = "10",
      description =
          "Random crops of each image with --linear-protocol official (default 10); epochs take them"
              + " in turn. Each takes the memory and time of a pass over the training images.")
  int linearViews;

  @Option(
      names = "--linear-epochs",
      paramLabel = "N",
      description = "Epochs for which the linear classifier is trained (default 100).")
  Integer linearEpochs;

  @Option(
      names = "--linear-lr",
      paramLabel = "RATE",
      description =
          "Learning rate of the linear classifier, for standardised features (default 2; with"
              + " --linear-protocol official the best of 0.1, 0.3, 1, 3 and 10).")
  Double linearRate;

  @Option(
      names = "--pixels",
      description =
          "Measure the same on raw pixels too, for comparison, with at most 32 of them a side.")
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
    if (linearViews < 1) {
      throw new IllegalArgumentException(
          "--linear-views is " + linearViews + ", expected at least 1, usually 10");
    }
    if (draws != null && draws < 1) {
      throw new IllegalArgumentException(
          "--draws is " + draws + ", expected at least 1, and 5 to see the spread");
    }
    if (!(knn || linear || clusters || rank || draws != null || fineTune)) {
      knn = true;
      linear = true;
    }
    KNearestNeighbours judge = new KNearestNeighbours(neighbours);
    SourceOptions.Opened o = source.openToReadAgain(output);
    boolean learns = knn || linear || draws != null || fineTune;
    if (learns) {
      requireLabels(o);
    } else if (clusters) {
      requireTestLabels(o);
    }
    // The same images whatever is asked, so that figures are those of training.
    Sample train =
        learns || FeatureJudge.obstacle(o.data()).isEmpty()
            ? Sample.labelled(o.data().train(), trainImages)
            : Sample.of(o.data().train(), trainImages);
    Sample test = Sample.labelled(o.data().test(), testImages);
    if (knn && neighbours > train.size()) {
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
      EvaluationLine line = judge("features", train, test, embedder, encoder::features, judge, o);
      if (clusters) {
        addClusters(line, test, embedder, encoder);
      }
      if (fineTune) {
        fineTuning.add(line, o, train, test, embedder);
      }
      line.print(output);
      ownFigure(o.data(), train, test).ifPresent(output.err()::println);
      if (pixels) {
        try (Embedder small = embedder.ofPixels()) {
          judge("pixels", train, test, small, Embedder.PIXELS, judge, o).print(output);
        }
      }
      output.remarks(embedder);
    }
    return 0;
  }

  private static void requireLabels(SourceOptions.Opened o) {
    FeatureJudge.obstacle(o.data())
        .ifPresent(
            obstacle -> {
              throw unfit(o, obstacle);
            });
  }

  private static void requireTestLabels(SourceOptions.Opened o) {
    if (Sample.labelled(o.data().test(), 1).size() == 0) {
      throw unfit(
          o,
          o.data().test().size() == 0
              ? "there are no test images"
              : "no test image has a label to compare clusters with; sort them into one folder per"
                  + " class");
    }
  }

  private static IllegalArgumentException unfit(SourceOptions.Opened o, String obstacle) {
    return new IllegalArgumentException(
        o.spec()
            + " can't be used to judge features: "
            + obstacle
            + o.data().layout().stream().findFirst().map(l -> "; " + l).orElse(""));
  }

  /** The run's own last k-NN accuracy and what to give to have it here, if that is something. */
  private Optional<String> ownFigure(DataSets data, Sample train, Sample test) {
    Path run = source.where.run;
    if (run == null || source.data != null || !knn) {
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

  /** What is found out from rows of numbers alone, be they features or pixels. */
  private EvaluationLine judge(
      String of,
      Sample trainImages,
      Sample testImages,
      Embedder embedder,
      Embedder.Network network,
      KNearestNeighbours judge,
      SourceOptions.Opened o) {
    boolean accuracy = knn || linear || draws != null;
    EvaluationLine line = new EvaluationLine(String.format(Locale.ROOT, "%-8s", of));
    line.add("of", of);
    line.add("train_images", trainImages.size());
    line.add("test_images", testImages.size());
    if (!accuracy && !rank) {
      line.add("classes", trainImages.classes());
      line.say(
          String.format(
              Locale.ROOT,
              "%d training and %d test images",
              trainImages.size(),
              testImages.size()));
      return line;
    }
    IndexedFeatures train = embedder.collectIndexed(trainImages, network);
    line.add("train_images", train.set().size());
    line.add("dim", train.set().dim());
    line.add("classes", trainImages.classes());
    FeatureSet test = accuracy ? embedder.collect(testImages, network) : null;
    if (test != null) {
      line.add("test_images", test.size());
    }
    line.say(
        String.format(
            Locale.ROOT,
            "%d training and %d test images, %d numbers each",
            train.set().size(),
            test == null ? testImages.size() : test.size(),
            train.set().dim()));
    if (knn) {
      addNeighbours(line, train.set(), test, judge, DataSpec.parse(o.spec()));
    }
    if (linear) {
      addLinear(line, train, test, () -> crops(trainImages, embedder, network));
    }
    if (draws != null) {
      addFewLabels(line, trainImages, train, test);
    }
    if (rank) {
      double figure = RankMe.of(train.set().features());
      double alpha = AlphaReq.of(train.set().features());
      line.add("rankme", figure);
      line.add("alpha_req", alpha);
      line.say(String.format(Locale.ROOT, "RankMe %.1f, alpha-ReQ %.2f", figure, alpha));
    }
    return line;
  }

  private void addNeighbours(
      EvaluationLine line,
      FeatureSet train,
      FeatureSet test,
      KNearestNeighbours judge,
      DataSpec spec) {
    double accuracy = judge.accuracy(train, test);
    line.add("knn" + neighbours, accuracy);
    line.say(String.format(Locale.ROOT, "%d-NN %.2f %%", neighbours, 100 * accuracy));
    if (spec.kind() == DataSpec.Kind.SHAPES) {
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

  private List<IndexedFeatures> crops(Sample train, Embedder embedder, Embedder.Network network) {
    return embedder.collectCrops(train, network, linearViews, fineTuning.seed);
  }

  private void addLinear(
      EvaluationLine line,
      IndexedFeatures train,
      FeatureSet test,
      Supplier<List<IndexedFeatures>> crops) {
    LinearProbe probe = new LinearProbe();
    probe = linearEpochs == null ? probe : probe.withEpochs(linearEpochs);
    probe = linearRate == null ? probe : probe.withLearningRate(linearRate);
    LinearProbe.Result result;
    String how = "";
    if (linearProtocol == LinearProtocol.FAST) {
      result = probe.evaluate(train.set(), test);
    } else {
      LinearProbe.Found found =
          probe.search(crops.get(), train, test, linearRate == null ? RATES : List.of(linearRate));
      result = found.result();
      line.add("linear_lr", found.learningRate());
      line.add("linear_held_out", found.heldOutTop1());
      how =
          String.format(
              Locale.ROOT,
              ", on crops, learning rate %s with %.2f %% of those held out",
              found.learningRate(),
              100 * found.heldOutTop1());
    }
    line.add("linear", result.top1());
    line.add("linear_train", result.trainTop1());
    line.add("linear_protocol", linearProtocol.name().toLowerCase(Locale.ROOT));
    line.say(
        String.format(
            Locale.ROOT,
            "linear %.2f %% (training images %.2f %%%s)",
            100 * result.top1(),
            100 * result.trainTop1(),
            how));
  }

  private void addFewLabels(
      EvaluationLine line, Sample images, IndexedFeatures train, FeatureSet test) {
    Map<Integer, Integer> rowOf = new HashMap<>();
    for (int row = 0; row < train.images().length; row++) {
      rowOf.put(train.images()[row], row);
    }
    List<int[]> rows = new ArrayList<>();
    for (int draw = 0; draw < draws; draw++) {
      Sample few = fineTuning.labelled(images, fineTuning.seed + draw);
      rows.add(
          IntStream.range(0, few.size())
              .map(few::original)
              .filter(rowOf::containsKey)
              .map(rowOf::get)
              .toArray());
    }
    FewLabels found = FewLabels.evaluate(train.set(), test, rows);
    Map<String, Double> classes = new LinkedHashMap<>();
    List<String> figures = new ArrayList<>();
    for (int c = 0; c < found.classes().size(); c++) {
      String name = images.classes().get(c);
      classes.put(name, found.classes().get(c));
      figures.add(String.format(Locale.ROOT, "%s %.1f %%", name, 100 * found.classes().get(c)));
    }
    line.add("labels", rows.get(0).length);
    line.add("few_labels", found.mean());
    line.add("few_labels_deviation", found.deviation());
    line.add("few_labels_draws", found.accuracies());
    line.add("few_labels_classes", classes);
    line.say(
        String.format(
            Locale.ROOT,
            "%d labels %.2f %%%s (%s)",
            rows.get(0).length,
            100 * found.mean(),
            draws == 1
                ? ""
                : String.format(
                    Locale.ROOT, " \u00b1 %.2f in %d draws", 100 * found.deviation(), draws),
            String.join(", ", figures)));
  }

  private static void addClusters(
      EvaluationLine line, Sample test, Embedder embedder, SwavEncoder encoder) {
    ClusterAgreement found = Clustering.of(test, embedder, encoder).agreement().orElseThrow();
    line.add("clusters", found.clusters());
    line.add("prototypes", encoder.config().prototypes());
    line.add("nmi", found.nmi());
    line.add("ari", found.ari());
    line.add("purity", found.purity());
    line.add("cluster_accuracy", found.accuracy());
    line.say(
        String.format(
            Locale.ROOT,
            "clusters: %d of %d prototypes, NMI %.3f, ARI %.3f, purity %.2f %%, accuracy %.2f %%",
            found.clusters(),
            encoder.config().prototypes(),
            found.nmi(),
            found.ari(),
            100 * found.purity(),
            100 * found.accuracy()));
  }
}
