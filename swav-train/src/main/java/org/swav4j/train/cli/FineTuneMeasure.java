package org.swav4j.train.cli;

import java.util.Locale;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.features.FineTuning;
import org.swav4j.train.features.Sample;
import picocli.CommandLine.Option;

/** {@code evaluate --fine-tune}: trains trunk and classifier together with few labels. */
final class FineTuneMeasure extends EvaluationMeasure {
  /** Steps below which a network has hardly moved; the published 20 epochs make more of them. */
  private static final int FEWEST_STEPS = 500;

  private static final int PUBLISHED_EPOCHS = 20;

  private final EvaluationImages images;

  @Option(
      names = "--fine-tune",
      description =
          "Trains the trunk and a linear classifier together with few labels (--labels), and"
              + " measures the accuracy on test images. Minutes to hours.")
  boolean asked;

  @Option(
      names = "--from-scratch",
      description =
          "With --fine-tune: begin with random weights, to see what the trained ones bring.")
  boolean fromScratch;

  @Option(
      names = "--fine-tune-epochs",
      paramLabel = "N",
      description =
          "Epochs of --fine-tune (default 20, more where these make fewer than 500 steps). The rates"
              + " fall to a fifth after 60 and 80 %% of them.")
  Integer epochs;

  @Option(
      names = "--fine-tune-batch",
      paramLabel = "N",
      defaultValue = "64",
      description = "Images in a step of --fine-tune, at most (default 64).")
  int batch;

  @Option(
      names = "--trunk-lr",
      paramLabel = "RATE",
      description =
          "Learning rate of the trunk in --fine-tune for the batch as it is (default, for 256"
              + " images: 0.01; 0.02 for up to 3 %% of the labels; 0.1 from scratch, which is also"
              + " worth a try where most labels are known).")
  Double trunkRate;

  @Option(
      names = "--classifier-lr",
      paramLabel = "RATE",
      description =
          "Learning rate of the classifier in --fine-tune (default, for 256 images: 0.2; 5 for up"
              + " to 3 %% of the labels; 0.1 from scratch).")
  Double classifierRate;

  /**
   * @param images how many labels are known, and the seed
   */
  FineTuneMeasure(EvaluationImages images) {
    super(Labels.ALL, Rows.NONE);
    this.images = images;
  }

  @Override
  boolean asked() {
    return asked;
  }

  @Override
  void checkFlags() {
    if (batch < 2) {
      throw new IllegalArgumentException(
          "--fine-tune-batch is " + batch + ", expected at least 2: batch norm compares images");
    }
  }

  @Override
  void checkImages(Sample training) {
    images.labelled(training, images.seed);
  }

  @Override
  void add(EvaluationLine line, Evaluated evaluated) {
    SourceOptions.Opened o = evaluated.source();
    long seed = images.seed;
    Sample labelled = images.labelled(evaluated.trainImages(), seed);
    double share = (double) labelled.size() / evaluated.trainImages().size();
    int together = Math.min(batch, labelled.size());
    int steps = labelled.size() / together;
    int passes =
        epochs != null ? epochs : Math.max(PUBLISHED_EPOCHS, (FEWEST_STEPS + steps - 1) / steps);
    FineTuning tuning =
        fromScratch
            ? FineTuning.fromScratch(passes, together, seed)
            : FineTuning.published(share, passes, together, seed);
    tuning = trunkRate == null ? tuning : tuning.withTrunkRate(trunkRate);
    tuning = classifierRate == null ? tuning : tuning.withClassifierRate(classifierRate);
    SwavWeights weights =
        fromScratch
            ? SwavWeights.initialise(o.weights().backbone(), o.weights().config(), seed)
            : o.weights();
    FineTuning.Result result =
        tuning.evaluate(
            weights, labelled, evaluated.testImages(), evaluated.embedder(), o.engine());
    line.add("fine_tune", result.top1());
    line.add("fine_tune_train", result.trainTop1());
    line.add("fine_tune_images", labelled.size());
    line.add("fine_tune_epochs", passes);
    line.add("fine_tune_from", fromScratch ? "scratch" : "weights");
    line.say(
        String.format(
            Locale.ROOT,
            "%s %.2f %% (%d labelled images, %d epochs; on these %.2f %%)",
            fromScratch ? "from scratch" : "fine-tuned",
            100 * result.top1(),
            labelled.size(),
            passes,
            100 * result.trainTop1()));
  }
}
