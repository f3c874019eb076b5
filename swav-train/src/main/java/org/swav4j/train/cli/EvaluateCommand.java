package org.swav4j.train.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;
import org.swav4j.train.evaluation.LinearProbe;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.KnnJudge;
import org.swav4j.train.features.Sample;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How good the features of a trained network are. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Judges features by k-NN and by a linear classifier on top of them; labels are used here and"
          + " nowhere else.",
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
      description = "That vote on each test image (default 20).")
  int neighbours;

  @Option(
      names = "--train-images",
      paramLabel = "N",
      defaultValue = "50000",
      description = "Labelled training images used, at most (default 50000).")
  int trainImages;

  @Option(
      names = "--test-images",
      paramLabel = "N",
      defaultValue = "10000",
      description = "Test images, at most (default 10000).")
  int testImages;

  @Option(
      names = "--linear-epochs",
      paramLabel = "N",
      description = "Epochs of the linear classifier (default 100).")
  Integer linearEpochs;

  @Option(
      names = "--linear-lr",
      paramLabel = "RATE",
      description = "Its learning rate (default 2, for standardised features).")
  Double linearRate;

  @Option(names = "--pixels", description = "Also judge the raw pixels, for comparison.")
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
    KNearestNeighbours judge = new KNearestNeighbours(neighbours, 0.07);
    SourceOptions.Opened o = source.open();
    Optional<String> obstacle = KnnJudge.obstacle(o.data());
    if (obstacle.isPresent()) {
      throw new IllegalArgumentException(
          o.spec() + " can't be used to judge features: " + obstacle.get());
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
    try (Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine())) {
      judge(
          "features",
          embedder.collect(train, encoder::features),
          embedder.collect(test, encoder::features),
          judge);
      if (pixels) {
        Embedder.Network raw = images -> images.dup('c').reshape(images.size(0), -1);
        judge("pixels", embedder.collect(train, raw), embedder.collect(test, raw), judge);
      }
      if (!embedder.skipped().isEmpty()) {
        output.err().println(embedder.skipped());
      }
    }
    return 0;
  }

  private void judge(String of, FeatureSet train, FeatureSet test, KNearestNeighbours judge) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "evaluate");
    fields.put("of", of);
    fields.put("train_images", train.size());
    fields.put("test_images", test.size());
    fields.put("dim", train.dim());
    StringBuilder text =
        new StringBuilder(
            String.format(
                "%-8s  %d training and %d test images, %d numbers each",
                of, train.size(), test.size(), train.dim()));
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
