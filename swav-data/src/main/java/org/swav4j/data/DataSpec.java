package org.swav4j.data;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Names a data set in one word, as on a command line: {@code shapes}, {@code shapes:20000}, {@code
 * folder:DIR}, {@code idx:DIR}, {@code cifar10:DIR}, {@code cifar100:DIR}, or a bare directory,
 * which is recognised by its content.
 *
 * @param kind format of the data
 * @param directory where it is; null for {@code shapes}
 * @param size images in the train part of {@code shapes}; 0 for the others
 */
public record DataSpec(Kind kind, Path directory, int size) {

  /** The formats that can be named. */
  public enum Kind {
    /** {@link ShapesSource}: generated images. */
    SHAPES,
    /** {@link FolderSource}: a folder of image files. */
    FOLDER,
    /** {@link IdxSource}: the format of MNIST. */
    IDX,
    /** {@link CifarSource#cifar10}. */
    CIFAR10,
    /** {@link CifarSource#cifar100}. */
    CIFAR100;

    private String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final String FORMS =
      "shapes, shapes:N, folder:DIR, idx:DIR, cifar10:DIR, cifar100:DIR or a directory";

  /**
   * Reads the text form. Only a bare directory is looked at; the others are when opened.
   *
   * @throws IllegalArgumentException if the text is none of the accepted forms, which it lists
   */
  public static DataSpec parse(String spec) {
    if (spec.isBlank()) {
      throw new IllegalArgumentException("no data set given: expected " + FORMS);
    }
    int colon = spec.indexOf(':');
    String word = colon < 0 ? spec : spec.substring(0, colon);
    for (Kind kind : Kind.values()) {
      if (word.equals(kind.word())) {
        String rest = colon < 0 ? "" : spec.substring(colon + 1);
        return kind == Kind.SHAPES ? shapes(spec, colon < 0, rest) : named(spec, kind, rest);
      }
    }
    Path directory = path(spec, spec);
    if (Files.isDirectory(directory)) {
      return new DataSpec(recognise(directory), directory, 0);
    }
    throw new IllegalArgumentException(
        "data \""
            + spec
            + "\" is neither a directory nor one of the accepted forms: expected "
            + FORMS);
  }

  private static DataSpec shapes(String spec, boolean bare, String rest) {
    if (bare) {
      return new DataSpec(Kind.SHAPES, null, ShapesSource.DEFAULT_SIZE);
    }
    int size;
    try {
      size = Integer.parseInt(rest);
    } catch (NumberFormatException e) {
      size = 0;
    }
    if (size < 1) {
      throw new IllegalArgumentException(
          "data \""
              + spec
              + "\": expected a number of images after shapes:, such as shapes:"
              + ShapesSource.DEFAULT_SIZE);
    }
    return new DataSpec(Kind.SHAPES, null, size);
  }

  private static DataSpec named(String spec, Kind kind, String rest) {
    if (rest.isBlank()) {
      throw new IllegalArgumentException(
          "data \"" + spec + "\" lacks a directory: expected " + kind.word() + ":DIR");
    }
    return new DataSpec(kind, path(spec, rest), 0);
  }

  private static Path path(String spec, String text) {
    try {
      return Path.of(expanded(spec, text));
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(
          "data \""
              + spec
              + "\": "
              + e.getMessage()
              + (e.getMessage().contains("unmappable")
                  ? ": this locale's encoding, "
                      + System.getProperty("sun.jnu.encoding")
                      + ", has no such letters: start with LC_ALL=C.UTF-8 in the environment"
                  : ": expected " + FORMS),
          e);
    }
  }

  /** Shells take a tilde for the home folder at the start of a word only, not after a colon. */
  private static String expanded(String spec, String text) {
    if (!text.equals("~") && !text.startsWith("~/")) {
      if (text.startsWith("~") && !Files.exists(Path.of(text))) {
        throw new IllegalArgumentException(
            "data \""
                + spec
                + "\": the shell expands ~ at the start of a word only: write the path out");
      }
      return text;
    }
    String home = System.getenv("HOME");
    return (home == null || home.isEmpty() ? System.getProperty("user.home") : home)
        + text.substring(1);
  }

  private static Kind recognise(Path directory) {
    if (IdxSource.isIn(directory)) {
      return Kind.IDX;
    }
    if (Files.isRegularFile(directory.resolve("data_batch_1.bin"))) {
      return Kind.CIFAR10;
    }
    if (Files.isRegularFile(directory.resolve("train.bin"))) {
      return Kind.CIFAR100;
    }
    return Kind.FOLDER;
  }

  /**
   * Opens the data with its own number of channels: 1 for IDX, 3 for all others.
   *
   * @throws IllegalArgumentException if the data is missing or not in this format, with what to do
   * @throws java.io.UncheckedIOException if it can't be read
   */
  public DataSets open() {
    return open(channels());
  }

  /** The data's own number of channels: 1 for IDX, 3 for all others. */
  public int channels() {
    return kind == Kind.IDX ? 1 : 3;
  }

  /**
   * Opens the data with a given number of channels: grey is repeated, colour becomes luma.
   *
   * @param channels 3 for RGB, 1 for grey
   * @throws IllegalArgumentException if the data is missing or not in this format, with what to do
   * @throws java.io.UncheckedIOException if it can't be read
   */
  public DataSets open(int channels) {
    return open(channels, FolderSource.HOLDOUT);
  }

  /**
   * Opens the data with a given number of channels and share of held-out images.
   *
   * @param channels 3 for RGB, 1 for grey
   * @param holdout share of a folder without parts of its own that is held out for testing, 0 to
   *     0.5; other data have parts and ignore it
   * @throws IllegalArgumentException if the data is missing or not in this format, with what to do
   * @throws java.io.UncheckedIOException if it can't be read
   */
  public DataSets open(int channels, double holdout) {
    DataSets sets = openToReadOnce(channels, holdout);
    return kind == Kind.FOLDER ? cached(sets) : sets;
  }

  /**
   * The same for who reads every image once: those of a folder are not kept in memory.
   *
   * @param channels 3 for RGB, 1 for grey
   * @param holdout as in {@link #open(int, double)}
   * @throws IllegalArgumentException if the data is missing or not in this format, with what to do
   * @throws java.io.UncheckedIOException if it can't be read
   */
  public DataSets openToReadOnce(int channels, double holdout) {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(
          channels + " channels asked of " + this + ", expected 3 (RGB) or 1 (grey)");
    }
    if (directory != null && Files.isRegularFile(directory)) {
      throw new IllegalArgumentException(
          directory
              + " is a file, named by data "
              + this
              + ": give the directory that holds it, "
              + kind.word()
              + ":"
              + directory.toAbsolutePath().getParent());
    }
    if (directory != null && !Files.isDirectory(directory)) {
      throw new IllegalArgumentException(
          "no directory "
              + directory
              + " (looked for "
              + directory.toAbsolutePath()
              + "), named by data "
              + this
              + ": check the path");
    }
    DataSets sets =
        switch (kind) {
          case SHAPES -> ShapesSource.open(size);
          case FOLDER -> FolderSource.split(directory, channels, holdout);
          case IDX -> IdxSource.open(directory);
          case CIFAR10 -> CifarSource.cifar10(directory);
          case CIFAR100 -> CifarSource.cifar100(directory);
        };
    return new DataSets(
        ConvertedSource.of(sets.train(), channels),
        ConvertedSource.of(sets.test(), channels),
        sets.layout(),
        sets.leftOut());
  }

  private static DataSets cached(DataSets sets) {
    return new DataSets(
        new CachedSource(sets.train(), CachedSource.DEFAULT_BUDGET),
        new CachedSource(sets.test(), CachedSource.DEFAULT_BUDGET / 4),
        sets.layout(),
        sets.leftOut());
  }

  /** The text form, which {@link #parse} reads back. */
  @Override
  public String toString() {
    return kind.word() + ":" + (kind == Kind.SHAPES ? Integer.toString(size) : directory);
  }
}
