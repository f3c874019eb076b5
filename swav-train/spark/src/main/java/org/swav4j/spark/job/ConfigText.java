package org.swav4j.spark.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.run.RunFolder;

/**
 * A configuration as the text of its file, which is how it travels: every value to the last bit.
 */
final class ConfigText {
  private ConfigText() {}

  static String of(TrainingConfig config) {
    return in(
        folder -> {
          folder.write(config);
          return Files.readString(folder.config());
        });
  }

  static TrainingConfig read(String text) {
    return in(
        folder -> {
          Files.writeString(folder.config(), text);
          return folder.readConfig();
        });
  }

  private interface Work<T> {
    T in(RunFolder folder) throws IOException;
  }

  private static <T> T in(Work<T> work) {
    try {
      Path folder = Files.createTempDirectory("swav");
      try {
        return work.in(new RunFolder(folder));
      } finally {
        delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the temporary folder can't be used: " + e.getMessage(), e);
    }
  }

  /** Removes a folder and what is in it. */
  static void delete(Path folder) throws IOException {
    List<Path> all;
    try (Stream<Path> paths = Files.walk(folder)) {
      all = paths.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : all) {
      Files.delete(path);
    }
  }
}
