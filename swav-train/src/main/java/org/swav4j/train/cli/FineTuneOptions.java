package org.swav4j.train.cli;

import java.util.Locale;
import org.swav4j.data.ImageSource;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.FineTuning;
import org.swav4j.train.features.Sample;
import picocli.CommandLine.Option;

/** How {@code evaluate --fine-tune} trains with labels. */
final class FineTuneOptions {
  /** Steps below which a network has hardly moved; the published 20 epochs make more of them. */
  private static final int FEWEST_STEPS = 500;

  private static final int PUBLISHED_EPOCHS = 20;

  @Option(
      names = "--labels",
      paramLabel = "SHARE|N",
      defaultValue = "0.1",
      description =
          "Training images whose labels --fine-tune and --draws know: a share, of each class at least"
              + " one image (0.01, 0.1 (default), 1 or any other), or a number from 2 on, with each"
              + " class in proportion.")
  double labels;

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
              + " images: 0.01; 0.02 for up to 3 %% of the labels; 0.1 from scratch).")
  Double trunkRate;

  @Option(
      names = "--classifier-lr",
      paramLabel = "RATE",
      description =
          "Learning rate of the classifier in --fine-tune (default, for 256 images: 0.2; 5 for up"
              + " to 3 %% of the labels; 0.1 from scratch).")
  Double classifierRate;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Seed of --fine-tune and --linear-protocol official: which images are labelled, crops,"
              + " order, classifier, and the weights from scratch (default 0).")
  long seed;

  /**
   * The images whose labels are known.
   *
   * @param draw another one draws other images
   * @throws IllegalArgumentException if there are not so many
   */
  Sample labelled(ImageSource train, long draw) {
    if (labels <= 1) {
      return Sample.share(train, labels, draw);
    }
    if (labels != Math.rint(labels) || labels > train.size()) {
      throw new IllegalArgumentException(
          "--labels is "
              + labels
              + ", expected a share up to 1 or a whole number up to the "
              + train.size()
              + " labelled training images");
    }
    return Sample.labelled(train, (int) labels, draw);
  }

  /** Trains as asked for, measures, and adds what came out. */
  void add(
      EvaluationLine line,
      SourceOptions.Opened o,
      ImageSource train,
      Sample test,
      Embedder embedder) {
    Sample labelled = labelled(train, seed);
    double share = (double) labelled.size() / train.size();
    if (batch < 2) {
      throw new IllegalArgumentException(
          "--fine-tune-batch is " + batch + ", expected at least 2: batch norm compares images");
    }
    int images = Math.min(batch, labelled.size());
    int steps = labelled.size() / images;
    int passes =
        epochs != null ? epochs : Math.max(PUBLISHED_EPOCHS, (FEWEST_STEPS + steps - 1) / steps);
    FineTuning tuning =
        fromScratch
            ? FineTuning.fromScratch(passes, images, seed)
            : FineTuning.published(share, passes, images, seed);
    tuning = trunkRate == null ? tuning : tuning.withTrunkRate(trunkRate);
    tuning = classifierRate == null ? tuning : tuning.withClassifierRate(classifierRate);
    SwavWeights weights =
        fromScratch
            ? SwavWeights.initialise(o.weights().backbone(), o.weights().config(), seed)
            : o.weights();
    FineTuning.Result result = tuning.evaluate(weights, labelled, test, embedder, o.engine());
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
