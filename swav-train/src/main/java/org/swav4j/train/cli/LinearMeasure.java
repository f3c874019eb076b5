package org.swav4j.train.cli;

import java.util.List;
import java.util.Locale;
import org.swav4j.train.evaluation.LinearProbe;
import picocli.CommandLine.Option;

/** {@code evaluate --linear}: a linear classifier on features that stay as they are. */
final class LinearMeasure extends EvaluationMeasure {
  /** Learning rates that the official protocol chooses from, for standardised features. */
  private static final List<Double> RATES = List.of(0.1, 0.3, 1.0, 3.0, 10.0);

  /** How the classifier is fitted. */
  enum Protocol {
    FAST,
    OFFICIAL
  }

  private final EvaluationImages images;

  @Option(names = "--linear", description = "The linear classifier.")
  boolean asked;

  @Option(
      names = "--linear-protocol",
      paramLabel = "NAME",
      defaultValue = "fast",
      description =
          "How the linear classifier learns: fast (default; the images as they are, one learning"
              + " rate), or official (random crops and flips, the learning rate that does best on a"
              + " tenth of the training images), as published figures are made.")
  Protocol protocol;

  @Option(
      names = "--linear-views",
      paramLabel = "N",
      defaultValue = "10",
      description =
          "Random crops of each image with --linear-protocol official (default 10); epochs take them"
              + " in turn. Each takes the memory and time of a pass over the training images.")
  int views;

  @Option(
      names = "--linear-epochs",
      paramLabel = "N",
      description = "Epochs for which the linear classifier is trained (default 100).")
  Integer epochs;

  @Option(
      names = "--linear-lr",
      paramLabel = "RATE",
      description =
          "Learning rate of the linear classifier, for standardised features (default 2; with"
              + " --linear-protocol official the best of 0.1, 0.3, 1, 3 and 10).")
  Double rate;

  /**
   * @param images whose seed draws the crops
   */
  LinearMeasure(EvaluationImages images) {
    super(Labels.ALL, Rows.ALL);
    this.images = images;
  }

  @Override
  boolean asked() {
    return asked;
  }

  @Override
  void checkFlags() {
    if (views < 1) {
      throw new IllegalArgumentException(
          "--linear-views is " + views + ", expected at least 1, usually 10");
    }
  }

  @Override
  void add(EvaluationLine line, Evaluated evaluated) {
    LinearProbe probe = new LinearProbe();
    probe = epochs == null ? probe : probe.withEpochs(epochs);
    probe = rate == null ? probe : probe.withLearningRate(rate);
    LinearProbe.Result result;
    String how = "";
    if (protocol == Protocol.FAST) {
      result = probe.evaluate(evaluated.train().set(), evaluated.test());
    } else {
      LinearProbe.Found found =
          probe.search(
              evaluated
                  .embedder()
                  .collectCrops(evaluated.trainImages(), evaluated.network(), views, images.seed),
              evaluated.train(),
              evaluated.test(),
              rate == null ? RATES : List.of(rate));
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
    line.add("linear_protocol", protocol.name().toLowerCase(Locale.ROOT));
    line.say(
        String.format(
            Locale.ROOT,
            "linear %.2f %% (training images %.2f %%%s)",
            100 * result.top1(),
            100 * result.trainTop1(),
            how));
  }
}
