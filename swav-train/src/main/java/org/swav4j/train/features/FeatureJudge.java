package org.swav4j.train.features;

import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
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
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;

/**
 * Judges features by k-NN: labelled training images, the bank, vote on test images. Both are
 * stratified samples, the same at every call and in every run, so figures can be compared; {@code
 * swav evaluate} with the same numbers of images, neighbours and pixels gives the same figure.
 * Images are embedded in float whatever precision the network is trained in: the precision in which
 * its weights are used afterwards.
 */
public final class KnnJudge implements ToDoubleFunction<SwavWeights>, AutoCloseable {
  private final Sample bank;
  private final Sample test;
  private final KNearestNeighbours knn;
  private final Embedder embedder;
  private final Engine engine;

  private KnnJudge(
      Sample bank, Sample test, KNearestNeighbours knn, Embedder embedder, Engine engine) {
    this.bank = bank;
    this.test = test;
    this.knn = knn;
    this.embedder = embedder;
    this.engine = engine;
  }

  /** Why these data can't be used to judge features; empty if they can. */
  public static Optional<String> obstacle(DataSets data) {
    if (data.test().size() == 0) {
      return Optional.of("there are no test images");
    }
    BitSet learned = labels(data.train());
    BitSet tested = labels(data.test());
    if (learned.isEmpty() || tested.isEmpty()) {
      return Optional.of(
          "the images have no labels; sort them into one folder per class to have k-NN");
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
  public static KnnJudge of(
      TrainingConfig config, DataSets data, Normalisation normalisation, Engine engine) {
    TrainingConfig.Evaluation e = config.evaluation();
    return new KnnJudge(
        Sample.labelled(data.train(), e.bankImages()),
        Sample.labelled(data.test(), e.testImages()),
        new KNearestNeighbours(e.neighbours()),
        new Embedder(
            InputSize.of(config.evaluationSize()), normalisation, config.execution().workers()),
        engine.withPrecision(Precision.FLOAT));
  }

  @Override
  public double applyAsDouble(SwavWeights weights) {
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights, engine)) {
      return accuracy(encoder::features);
    }
  }

  /** k-NN on the pixels themselves, at the size at which images are embedded. */
  public double rawPixels() {
    return accuracy(images -> images.dup('c').reshape(images.size(0), -1));
  }

  private double accuracy(Embedder.Network network) {
    FeatureSet voting = embedder.collect(bank, network);
    FeatureSet asked = embedder.collect(test, network);
    try (INDArray first = voting.features();
        INDArray second = asked.features()) {
      return knn.accuracy(voting, asked);
    }
  }

  /** {@code 20 neighbours among 2000 images, 2000 test images}. */
  public String describe() {
    return String.format(
        Locale.ROOT,
        "%d neighbours among %d images, %d test images",
        knn.k(),
        bank.size(),
        test.size());
  }

  @Override
  public void close() {
    embedder.close();
  }
}
