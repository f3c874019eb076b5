package org.swav4j.train.cli;

import org.swav4j.data.DataSets;
import org.swav4j.data.ImageSource;
import org.swav4j.train.features.FeatureJudge;
import org.swav4j.train.features.Sample;
import picocli.CommandLine.Option;

/** Which images {@code evaluate} learns from and tests with, how many labels it knows. */
final class EvaluationImages {
  @Option(
      names = "--train-images",
      paramLabel = "N",
      defaultValue = "50000",
      description =
          "Labelled training images used, at most (default 50000); of more, a random sample with"
              + " each class in proportion.")
  int most;

  @Option(
      names = "--test-images",
      paramLabel = "N",
      defaultValue = "10000",
      description = "Test images used, at most, chosen likewise (default 10000).")
  int mostTested;

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
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Seed of --fine-tune, --draws and --linear-protocol official: which images are labelled,"
              + " crops, order, classifier, and the weights from scratch (default 0).")
  long seed;

  /**
   * Before any work.
   *
   * @throws IllegalArgumentException if a number makes no sense
   */
  void checkFlags() {
    if (most < 1 || mostTested < 1) {
      throw new IllegalArgumentException(
          "--train-images is "
              + most
              + " and --test-images "
              + mostTested
              + ", expected at least 1 of each");
    }
  }

  /**
   * The training images: the same whatever is asked, so that figures are those of training.
   *
   * @param learns whether something is learned from labels
   */
  Sample train(DataSets data, boolean learns) {
    return learns || FeatureJudge.obstacle(data).isEmpty()
        ? Sample.labelled(data.train(), most)
        : Sample.of(data.train(), most);
  }

  /** The test images. */
  Sample test(DataSets data) {
    return Sample.labelled(data.test(), mostTested);
  }

  /**
   * The training images whose labels are known.
   *
   * @param draw another one draws other images
   * @throws IllegalArgumentException if there are not so many
   */
  Sample labelled(ImageSource training, long draw) {
    if (labels <= 1) {
      return Sample.share(training, labels, draw);
    }
    if (labels != Math.rint(labels) || labels > training.size()) {
      throw new IllegalArgumentException(
          "--labels is "
              + labels
              + ", expected a share up to 1 or a whole number up to the "
              + training.size()
              + " labelled training images");
    }
    return Sample.labelled(training, (int) labels, draw);
  }
}
