package org.swav4j.train.features;

import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.DataSets;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;

/**
 * Judges features of training images, the bank, by the directions they use (RankMe, α-ReQ), and
 * where there are labels by k-NN: the bank votes on test images. Both are samples, stratified if
 * labelled, the same at every call and in every run, so figures can be compared; {@code swav
 * evaluate} with the same numbers of images, neighbours and pixels gives the same figures. Images
 * are embedded in float whatever precision the network is trained in: the precision in which its
 * weights are used afterwards.
 */
public final class FeatureJudge implements Function<SwavWeights, FeatureQuality>, AutoCloseable {
  private final Sample bank;
  private final Optional<Sample> test;
  private final KNearestNeighbours knn;
  private final Embedder embedder;
  private final Engine engine;

  private FeatureJudge(
      Sample bank,
      Optional<Sample> test,
      KNearestNeighbours knn,
      Embedder embedder,
      Engine engine) {
    this.bank = bank;
    this.test = test;
    this.knn = knn;
    this.embedder = embedder;
    this.engine = engine;
  }

  /** Why features can't be judged by k-NN on these data; empty if they can. */
  public static Optional<String> obstacle(DataSets data) {
    if (data.test().size() == 0) {
      return Optional.of("there are no test images");
    }
    BitSet learned = labels(data.train());
    BitSet tested = labels(data.test());
    if (learned.isEmpty() || tested.isEmpty()) {
      return Optional.of(
          (tested.isEmpty() ? "the images have" : "the images to learn from have")
              + " no labels; sort them into one folder per class to have k-NN");
    }
    return learned.intersects(tested)
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "no test image is of a class that a training image has: there are %s to learn from"
                    + " and %s to test with; are they the same but for the spelling?",
                names(data.train().classes(), learned),
                names(data.train().classes(), tested)));
  }

  private static BitSet labels(ImageSource source) {
    BitSet labels = new BitSet();
    for (int i = 0; i < source.size(); i++) {
      if (source.label(i) >= 0) {
        labels.set(source.label(i));
      }
    }
    return labels;
  }

  private static String names(List<String> classes, BitSet labels) {
    return labels.stream().limit(8).mapToObj(classes::get).collect(Collectors.joining(", "))
        + (labels.cardinality() > 8 ? ", ..." : "");
  }

  /**
   * A judge with the configuration's numbers of images, neighbours and pixels.
   *
   * @param engine that trains the network
   */
  public static FeatureJudge of(
      TrainingConfig config, DataSets data, Normalisation normalisation, Engine engine) {
    TrainingConfig.Evaluation e = config.evaluation();
    boolean labelled = obstacle(data).isEmpty();
    return new FeatureJudge(
        labelled
            ? Sample.labelled(data.train(), e.bankImages())
            : Sample.of(data.train(), e.bankImages()),
        labelled ? Optional.of(Sample.labelled(data.test(), e.testImages())) : Optional.empty(),
        new KNearestNeighbours(e.neighbours()),
        new Embedder(
            InputSize.of(config.evaluationSize()), normalisation, config.execution().workers()),
        engine.withPrecision(Precision.FLOAT));
  }

  @Override
  public FeatureQuality apply(SwavWeights weights) {
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights, engine)) {
      FeatureSet voting = embedder.collect(bank, encoder::features);
      try (INDArray features = voting.features()) {
        FeatureQuality quality = FeatureQuality.of(features);
        return test.isEmpty()
            ? quality
            : quality.withKnn(accuracy(voting, embedder, encoder::features));
      }
    }
  }

  /** k-NN on the pixels themselves, of at most 32 pixels a side; NaN if unlabelled. */
  public double rawPixels() {
    if (test.isEmpty()) {
      return Double.NaN;
    }
    try (Embedder small = embedder.ofPixels()) {
      FeatureSet voting = small.collect(bank, Embedder.PIXELS);
      try (INDArray rows = voting.features()) {
        return accuracy(voting, small, Embedder.PIXELS);
      }
    }
  }

  private double accuracy(FeatureSet voting, Embedder embedder, Embedder.Network network) {
    FeatureSet asked = embedder.collect(test.orElseThrow(), network);
    try (INDArray rows = asked.features()) {
      return knn.accuracy(voting, asked);
    }
  }

  /** {@code 20 neighbours among 2000 images, 2000 test images}, or {@code 2000 images}. */
  public String describe() {
    String images = bank.size() + " images";
    return test.map(
            asked ->
                String.format(
                    Locale.ROOT,
                    "%d neighbours among %s, %d test images",
                    knn.k(),
                    images,
                    asked.size()))
        .orElse(images);
  }

  @Override
  public void close() {
    embedder.close();
  }
}
