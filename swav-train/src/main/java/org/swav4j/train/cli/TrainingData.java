package org.swav4j.train.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.swav4j.data.BrokenShare;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.train.config.MethodKind;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.RunSizes;

/**
 * The images of a run.
 *
 * @param sets opened
 * @param config of the run, with the normalisation that was given or measured on them
 * @param notes what a person should know of them, a sentence each
 */
record TrainingData(DataSets sets, TrainingConfig config, List<String> notes) {
  /** Share of unreadable images above which there is a warning. */
  private static final double FEW = 0.01;

  /** Enough for three digits of the mean. */
  private static final int NORMALISATION_IMAGES = 1000;

  /**
   * Opens the images and measures their normalisation where none is given. The configuration then
   * names a folder by its absolute path, so that the run can go on from any other.
   *
   * @throws IllegalArgumentException if they can't be used, are fewer than a batch, or more of them
   *     than is allowed can't be read
   */
  static TrainingData open(TrainingConfig asked) {
    TrainingConfig named = asked.withData(absolute(asked.data().spec()));
    DataSets sets = open(named.data());
    TrainingConfig config = withClasses(named, sets.train());
    // Refused before anything is measured or written.
    RunSizes.of(config, sets.train().size());
    List<String> notes = new ArrayList<>(sets.notes());
    notes.addAll(broken(sets.train(), config));
    Normalisation given = config.data().normalisation();
    return new TrainingData(
        sets,
        given != null && given.channels() == sets.train().channels()
            ? config
            : config.withNormalisation(Normalisation.of(sets.train(), NORMALISATION_IMAGES)),
        List.copyOf(notes));
  }

  /**
   * With a prototype for each class, if these are to be learned.
   *
   * @throws IllegalArgumentException if an image has no label, or all the same
   */
  private static TrainingConfig withClasses(TrainingConfig config, ImageSource images) {
    if (config.method() != MethodKind.SUPERVISED) {
      return config;
    }
    int classes = images.classes().size();
    long without = IntStream.range(0, images.size()).filter(i -> images.label(i) < 0).count();
    if (classes < 2 || without > 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "`method` is supervised, and %d of the %d images in %s have no label, with %d classes"
                  + " in all; expected a label for each and 2 classes or more, as in one folder per"
                  + " class",
              without,
              images.size(),
              images.name(),
              classes));
    }
    return config.withPrototypes(classes);
  }

  /** A warning where some images can't be read, a refusal where too many can't. */
  private static List<String> broken(ImageSource images, TrainingConfig config) {
    BrokenShare broken = BrokenShare.of(images, config.execution().seed());
    if (broken.broken() == broken.tried()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "none of %d images tried in %s can be read: %s",
              broken.tried(),
              images.name(),
              broken.examples()));
    }
    if (broken.share() > config.data().allowBroken()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s in %s can't be read: %s; is the copy complete? `allowBroken` 1 trains on the"
                  + " rest",
              broken,
              images.name(),
              broken.examples()));
    }
    return broken.share() <= FEW
        ? List.of()
        : List.of(
            String.format(
                Locale.ROOT,
                "warning: %s can't be read, others stand in for them: %s",
                broken,
                broken.examples()));
  }

  /** The same data named so that they are found from any folder. */
  private static String absolute(String spec) {
    DataSpec data = DataSpec.parse(spec);
    return data.directory() == null
        ? spec
        : new DataSpec(data.kind(), absolute(data.directory()), data.size()).toString();
  }

  /** Without dots, unless that is another folder, as behind a link. */
  private static Path absolute(Path folder) {
    Path absolute = folder.toAbsolutePath();
    Path plain = absolute.normalize();
    try {
      return Files.isSameFile(plain, absolute) ? plain : absolute;
    } catch (IOException e) {
      return absolute; // which is refused, as given, when it is opened
    }
  }

  /**
   * Opens data with the channels asked for.
   *
   * @throws IllegalArgumentException if they can't be used
   */
  static DataSets open(TrainingConfig.Data data) {
    return open(data, DataSpec::open);
  }

  /**
   * The same for a command that reads every image once, so that keeping them in memory is of no
   * use.
   *
   * @throws IllegalArgumentException if they can't be used
   */
  static DataSets openToReadOnce(TrainingConfig.Data data) {
    return open(data, DataSpec::openToReadOnce);
  }

  /** How a specification is opened, with so many channels and such a share held out. */
  private interface Opening {
    DataSets of(DataSpec spec, int channels, double holdout);
  }

  private static DataSets open(TrainingConfig.Data data, Opening opening) {
    DataSpec spec = DataSpec.parse(data.spec());
    int channels = data.channels() == 0 ? spec.channels() : data.channels();
    DataSets sets = opening.of(spec, channels, data.holdout());
    if (sets.train().size() == 0) {
      throw new IllegalArgumentException(
          data.spec() + " holds no training image: is the path right, and are they JPEG or PNG?");
    }
    return sets;
  }
}
