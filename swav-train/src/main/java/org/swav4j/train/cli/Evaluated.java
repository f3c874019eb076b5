package org.swav4j.train.cli;

import java.util.Locale;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.cli.EvaluationMeasure.Rows;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.IndexedFeatures;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.Sample;

/**
 * What measures look at: the features of a network, or raw pixels.
 *
 * @param source network and data, as opened
 * @param trainImages to learn from
 * @param testImages to test with
 * @param embedder shows images to the network
 * @param network gives a row of numbers for each image: features, or pixels
 * @param encoder the network whole
 * @param train rows of the training images; null if no measure asked for looks at them
 * @param test rows of the test images; null likewise
 */
record Evaluated(
    SourceOptions.Opened source,
    Sample trainImages,
    Sample testImages,
    Embedder embedder,
    Embedder.Network network,
    SwavEncoder encoder,
    IndexedFeatures train,
    FeatureSet test) {
  /** Computes the rows that are wanted. */
  static Evaluated of(
      SourceOptions.Opened source,
      Sample trainImages,
      Sample testImages,
      Embedder embedder,
      Embedder.Network network,
      SwavEncoder encoder,
      Rows wanted) {
    return new Evaluated(
        source,
        trainImages,
        testImages,
        embedder,
        network,
        encoder,
        wanted == Rows.NONE ? null : embedder.collectIndexed(trainImages, network),
        wanted == Rows.ALL ? embedder.collect(testImages, network) : null);
  }

  /** Adds how many images there are, those that could be read where they had to be. */
  void describe(EvaluationLine line) {
    int learned = train == null ? trainImages.size() : train.set().size();
    int tested = test == null ? testImages.size() : test.size();
    line.add("train_images", learned);
    line.add("test_images", tested);
    if (train != null) {
      line.add("dim", train.set().dim());
    }
    line.add("classes", trainImages.classes());
    line.say(
        String.format(
            Locale.ROOT,
            "%d training and %d test images%s",
            learned,
            tested,
            train == null ? "" : ", " + train.set().dim() + " numbers each"));
  }
}
