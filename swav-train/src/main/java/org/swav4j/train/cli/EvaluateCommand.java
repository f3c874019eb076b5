package org.swav4j.train.cli;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.cli.EvaluationMeasure.Labels;
import org.swav4j.train.cli.EvaluationMeasure.Rows;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.FeatureJudge;
import org.swav4j.train.features.Sample;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how well the features of a trained network tell classes apart. */
@Command(
    name = "evaluate",
    abbreviateSynopsis = true,
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
  @Mixin OutputOptions output;
  @Mixin SourceOptions source;

  // Picocli fills in the objects that are there: measures share this one.
  @Mixin EvaluationImages images = new EvaluationImages();
  @Mixin KnnMeasure knn = new KnnMeasure();
  @Mixin LinearMeasure linear = new LinearMeasure(images);
  @Mixin ClustersMeasure clusters = new ClustersMeasure();
  @Mixin RankMeasure rank = new RankMeasure();
  @Mixin FineTuneMeasure fineTune = new FineTuneMeasure(images);
  @Mixin FewLabelsMeasure fewLabels = new FewLabelsMeasure(images);

  @Option(
      names = "--pixels",
      description =
          "Measure the same on raw pixels too, for comparison, with at most 32 of them a side.")
  boolean pixels;

  /** All that can be measured, in the order in which it is told. */
  private List<EvaluationMeasure> measures() {
    return List.of(knn, linear, fewLabels, rank, clusters, fineTune);
  }

  @Override
  public Integer call() {
    images.checkFlags();
    measures().forEach(EvaluationMeasure::checkFlags);
    if (measures().stream().noneMatch(EvaluationMeasure::asked)) {
      knn.asked = true;
      linear.asked = true;
    }
    List<EvaluationMeasure> asked = measures().stream().filter(EvaluationMeasure::asked).toList();
    SourceOptions.Opened o = source.openToReadAgain(output);
    boolean learns = asked.stream().anyMatch(m -> m.labels == Labels.ALL);
    if (learns) {
      requireLabels(o);
    } else if (asked.stream().anyMatch(m -> m.labels == Labels.TEST)) {
      requireTestLabels(o);
    }
    Sample train = images.train(o.data(), learns);
    Sample test = images.test(o.data());
    asked.forEach(measure -> measure.checkImages(train));
    o.data().notes().forEach(note -> output.note("%s", note));
    try (Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine())) {
      measure(
              "features",
              asked,
              Evaluated.of(o, train, test, embedder, encoder::features, encoder, Rows.of(asked)))
          .print(output);
      knn.ownFigure(source, o.data(), train, test).ifPresent(output.err()::println);
      if (pixels) {
        List<EvaluationMeasure> ofRows = asked.stream().filter(m -> m.rows != Rows.NONE).toList();
        try (Embedder small = embedder.ofPixels()) {
          measure(
                  "pixels",
                  ofRows,
                  Evaluated.of(o, train, test, small, Embedder.PIXELS, encoder, Rows.of(ofRows)))
              .print(output);
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

  private static EvaluationLine measure(
      String of, List<EvaluationMeasure> measures, Evaluated evaluated) {
    EvaluationLine line = new EvaluationLine(String.format(Locale.ROOT, "%-8s", of));
    line.add("of", of);
    evaluated.describe(line);
    measures.forEach(measure -> measure.add(line, evaluated));
    return line;
  }
}
