package org.swav4j.train.cli;

import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.RunSizes;

/**
 * The images of a run.
 *
 * @param sets opened
 * @param config of the run, with the normalisation that was given or measured on them
 */
record TrainingData(DataSets sets, TrainingConfig config) {
  /** Enough for three digits of the mean. */
  private static final int NORMALISATION_IMAGES = 1000;

  /**
   * Opens the images and measures their normalisation where none is given. The configuration then
   * names a folder by its absolute path, so that the run can go on from any other.
   *
   * @throws IllegalArgumentException if they can't be used, or are fewer than a batch
   */
  static TrainingData open(TrainingConfig asked) {
    TrainingConfig config = asked.withData(absolute(asked.data().spec()));
    DataSets sets = open(config.data());
    // Refused before anything is measured or written.
    RunSizes.of(config, sets.train().size());
    Normalisation given = config.data().normalisation();
    return new TrainingData(
        sets,
        given != null && given.channels() == sets.train().channels()
            ? config
            : config.withNormalisation(Normalisation.of(sets.train(), NORMALISATION_IMAGES)));
  }

  /** The same data named so that they are found from any folder. */
  private static String absolute(String spec) {
    DataSpec data = DataSpec.parse(spec);
    return data.directory() == null
        ? spec
        : new DataSpec(data.kind(), data.directory().toAbsolutePath(), data.size()).toString();
  }

  /**
   * Opens data with the channels asked for.
   *
   * @throws IllegalArgumentException if they can't be used
   */
  static DataSets open(TrainingConfig.Data data) {
    DataSpec spec = DataSpec.parse(data.spec());
    int channels = data.channels() == 0 ? spec.channels() : data.channels();
    DataSets sets = spec.open(channels, data.holdout());
    if (sets.train().size() == 0) {
      throw new IllegalArgumentException(
          data.spec() + " holds no training image: is the path right, and are they JPEG or PNG?");
    }
    return sets;
  }
}
