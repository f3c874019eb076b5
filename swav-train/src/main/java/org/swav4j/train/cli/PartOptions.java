package org.swav4j.train.cli;

import org.swav4j.data.ImageSource;
import org.swav4j.data.JoinedSource;
import picocli.CommandLine.Option;

/** Which of the images a command looks at. */
final class PartOptions {
  /** Part of the data. */
  enum Part {
    ALL,
    TRAIN,
    TEST
  }

  @Option(
      names = "--part",
      paramLabel = "all|train|test",
      defaultValue = "all",
      description =
          "Which images: all (default), only those to train on, or only those held out for testing.")
  Part part;

  /**
   * The images of that part.
   *
   * @throws IllegalArgumentException if there are none
   */
  ImageSource images(SourceOptions.Opened o) {
    ImageSource images =
        switch (part) {
          case ALL -> new JoinedSource(o.data());
          case TRAIN -> o.data().train();
          case TEST -> o.data().test();
        };
    if (images.size() == 0) {
      throw new IllegalArgumentException(
          o.spec() + " has no test images: leave out --part or give it train");
    }
    return images;
  }

  /** {@code train} or {@code test}, for an image of {@link #images}. */
  String name(ImageSource images, int index) {
    boolean test = part == Part.TEST || (images instanceof JoinedSource j && j.isTest(index));
    return test ? "test" : "train";
  }
}
