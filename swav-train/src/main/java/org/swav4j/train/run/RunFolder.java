package org.swav4j.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.stream.Stream;
import org.swav4j.model.AtomicFile;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.TrainingException;

/**
 * Where a run keeps what it makes: weights, checkpoint, metrics, plot and the configuration as run.
 *
 * @param directory of the run
 */
public record RunFolder(Path directory) {
  /** The folder in it that is for TensorBoard. */
  public static final String TENSORBOARD = "tensorboard";

  /**
   * Refuses a folder in which no new run can be kept; makes nothing.
   *
   * @throws IllegalArgumentException if it holds a run or anything else
   * @throws UncheckedIOException if it can't be looked into
   */
  public static void requireFree(Path directory) {
    if (Files.exists(new RunFolder(directory).checkpoint())) {
      throw new IllegalArgumentException(
          directory
              + " already holds a run: continue it with `resume` "
              + directory
              + ", or choose another `outputFolder`");
    }
    try {
      if (!Files.exists(directory)) {
        requirePossible(directory.toAbsolutePath().getParent());
        return;
      }
      if (!Files.isDirectory(directory)) {
        throw new FileAlreadyExistsException(directory.toString());
      }
      requireEmpty(directory);
    } catch (IOException e) {
      throw unusable(directory, e);
    }
  }

  /** Whether folders can be made in this one, or where it isn't there in the last that is. */
  private static void requirePossible(Path parent) throws IOException {
    Path there = parent;
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (there != null && !Files.isDirectory(there)) {
      throw new FileSystemException(there.toString(), null, there + " is a file");
    }
    if (there != null && !Files.isWritable(there)) {
      throw new AccessDeniedException(there.toString());
    }
  }

  private static UncheckedIOException unusable(Path directory, IOException e) {
    return new UncheckedIOException(
        "the run can't be kept in "
            + directory
            + ": "
            + reason(e)
            + "; choose another `outputFolder`",
        e);
  }

  /**
   * Makes the folder for a new run.
   *
   * @throws IllegalArgumentException if it holds a run or anything else
   * @throws UncheckedIOException if it can't be made or written to
   */
  public static RunFolder create(Path directory) {
    requireFree(directory);
    try {
      Files.createDirectories(directory);
      // Found out now rather than after the first epoch.
      Files.delete(Files.createTempFile(directory, ".writable", null));
    } catch (IOException e) {
      throw unusable(directory, e);
    }
    return new RunFolder(directory);
  }

  /**
   * Takes back a new run that failed before its first step: its files, and the folder if nothing
   * else is in it. What can't be removed stays.
   */
  public void discard() {
    try {
      if (Files.isDirectory(tensorboard())) {
        delete(tensorboard());
      }
      delete(directory);
    } catch (IOException e) {
      // What made the run fail is told, and this would hide it.
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.filter(Files::isRegularFile).toList()) {
        Files.delete(entry);
      }
    }
    Files.delete(folder);
  }

  /** A run's files take fixed names: among other files they could replace some. */
  private static void requireEmpty(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      entries
          .map(entry -> entry.getFileName().toString())
          // Hidden files, and what a process that was killed had begun to write.
          .filter(name -> !name.startsWith(".") && !name.endsWith(".part"))
          .sorted()
          .findFirst()
          .ifPresent(
              name -> {
                throw new IllegalArgumentException(
                    directory
                        + " is not empty ("
                        + (name.equals("config.json")
                            ? "a run that ended before its first checkpoint"
                            : "it holds " + name)
                        + "), expected a new or an empty folder: choose another `outputFolder`");
              });
    }
  }

  /** A name for the folder of a new run that isn't taken: {@code runs/LABEL-DATE-TIME}. */
  public static Path unused(String label) {
    String time =
        LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
    Path folder = Path.of("runs", label + "-" + time);
    for (int i = 2; Files.exists(folder); i++) {
      folder = Path.of("runs", label + "-" + time + "-" + i);
    }
    return folder;
  }

  /**
   * The folder of an earlier run.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static RunFolder existing(Path directory) {
    RunFolder run = new RunFolder(directory);
    if (!Files.isDirectory(directory)) {
      throw new IllegalArgumentException(
          Files.exists(directory)
              ? directory + " is a file, expected the run folder that holds it"
              : "there is no run folder " + directory + ", expected one that training made");
    }
    if (!Files.exists(run.config())) {
      throw new IllegalArgumentException(
          directory + " is no run folder: it holds no " + run.config().getFileName());
    }
    return run;
  }

  /** The network of the last completed epoch, in safetensors. */
  public Path weights() {
    return directory.resolve("weights.safetensors");
  }

  /** The network after the epoch whose features used most directions, by RankMe. */
  public Path best() {
    return directory.resolve("best.safetensors");
  }

  /** Everything needed to continue, as of the last completed epoch or stop. */
  public Path checkpoint() {
    return directory.resolve("checkpoint.safetensors");
  }

  /** One JSON object per step and per epoch. */
  public Path metrics() {
    return directory.resolve("metrics.jsonl");
  }

  /** The folder of the event file for TensorBoard, there only if that was asked for. */
  public Path tensorboard() {
    return directory.resolve(TENSORBOARD);
  }

  /** The configuration as run. */
  public Path config() {
    return directory.resolve("config.json");
  }

  /**
   * Writes {@link #config}.
   *
   * @throws UncheckedIOException if it can't be written
   */
  public void write(TrainingConfig config) {
    replace(config(), ConfigFile.toJson(config) + System.lineSeparator());
  }

  /**
   * Reads {@link #config}.
   *
   * @throws TrainingException if it can't be read or is no configuration; naming the key
   */
  public TrainingConfig readConfig() {
    try {
      return ConfigFile.fromJson(Files.readString(config()));
    } catch (IOException | IllegalArgumentException e) {
      throw new TrainingException(config() + " can't be used: " + reason(e), e);
    }
  }

  /** Writes a text file whole or not at all. */
  static void replace(Path file, String text) {
    try {
      AtomicFile.write(
          file, out -> Channels.newOutputStream(out).write(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(file + " can't be written: " + reason(e), e);
    }
  }

  /** What the system said, without repeating the path. */
  static String reason(Exception e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return "there is a file of that name";
    }
    if (e instanceof NoSuchFileException) {
      return "no folder can be made there";
    }
    if (e instanceof FileSystemException f && f.getReason() != null) {
      return f.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
