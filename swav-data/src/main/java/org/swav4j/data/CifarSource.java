package org.swav4j.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * CIFAR-10 and CIFAR-100 in their binary version: 32x32 RGB images. Held in memory. Thread-safe.
 *
 * @see <a href="https://www.cs.toronto.edu/~kriz/cifar.html">The format, under "Binary version"</a>
 */
public final class CifarSource extends PackedSource {
  private static final int SIDE = 32;
  private static final int PLANE = SIDE * SIDE;

  /** The two data sets: what their files are called and how a record starts. */
  private enum Kind {
    CIFAR10(
        "CIFAR-10",
        "cifar-10-batches-bin",
        1,
        10,
        IntStream.rangeClosed(1, 5).mapToObj(i -> "data_batch_" + i + ".bin").toList(),
        "test_batch.bin",
        "batches.meta.txt"),
    CIFAR100(
        "CIFAR-100",
        "cifar-100-binary",
        2, // coarse label, fine label
        100,
        List.of("train.bin"),
        "test.bin",
        "fine_label_names.txt");

    final String title;
    final String usualDirectory;
    final int labelBytes;
    final int classes;
    final List<String> train;
    final String test;
    final String names;

    Kind(
        String title,
        String usualDirectory,
        int labelBytes,
        int classes,
        List<String> train,
        String test,
        String names) {
      this.title = title;
      this.usualDirectory = usualDirectory;
      this.labelBytes = labelBytes;
      this.classes = classes;
      this.train = train;
      this.test = test;
      this.names = names;
    }
  }

  private CifarSource(String name, Content content, List<String> classes) {
    super(name, content, classes);
  }

  /**
   * Reads {@code data_batch_1.bin} to {@code data_batch_5.bin} and {@code test_batch.bin}; names of
   * the classes from {@code batches.meta.txt}, where there is one.
   *
   * @throws IllegalArgumentException if a file is missing, or of another length than whole records
   *     have
   * @throws UncheckedIOException if a file can't be read
   */
  public static DataSets cifar10(Path directory) {
    return open(directory, Kind.CIFAR10);
  }

  /**
   * Reads {@code train.bin} and {@code test.bin} with their fine labels; names of the classes from
   * {@code fine_label_names.txt}, where there is one.
   *
   * @throws IllegalArgumentException if a file is missing, or of another length than whole records
   *     have
   * @throws UncheckedIOException if a file can't be read
   */
  public static DataSets cifar100(Path directory) {
    return open(directory, Kind.CIFAR100);
  }

  private static DataSets open(Path directory, Kind kind) {
    List<String> classes = names(directory, kind);
    return new DataSets(
        new CifarSource(kind.title + " (train)", content(directory, kind.train, kind), classes),
        new CifarSource(
            kind.title + " (test)", content(directory, List.of(kind.test), kind), classes));
  }

  private static Content content(Path directory, List<String> files, Kind kind) {
    int record = kind.labelBytes + 3 * PLANE;
    List<byte[]> read = files.stream().map(file -> read(directory, file, kind)).toList();
    int count = read.stream().mapToInt(bytes -> bytes.length / record).sum();
    byte[] pixels = new byte[Math.multiplyExact(count, 3 * PLANE)];
    int[] labels = new int[count];
    int image = 0;
    for (int f = 0; f < files.size(); f++) {
      byte[] bytes = read.get(f);
      for (int at = 0; at < bytes.length; at += record, image++) {
        int label = bytes[at + kind.labelBytes - 1] & 0xff;
        if (label >= kind.classes) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "%s: label %d in record %d, %s has classes 0 to %d: is it the right file?",
                  directory.resolve(files.get(f)),
                  label,
                  at / record,
                  kind.title,
                  kind.classes - 1));
        }
        labels[image] = label;
        interleave(bytes, at + kind.labelBytes, pixels, image * 3 * PLANE);
      }
    }
    return new Content(SIDE, SIDE, 3, pixels, labels);
  }

  /** A red, a green and a blue plane become RGB pixels. */
  private static void interleave(byte[] in, int from, byte[] out, int to) {
    for (int p = 0; p < PLANE; p++) {
      out[to + 3 * p] = in[from + p];
      out[to + 3 * p + 1] = in[from + PLANE + p];
      out[to + 3 * p + 2] = in[from + 2 * PLANE + p];
    }
  }

  private static byte[] read(Path directory, String file, Kind kind) {
    Path path = directory.resolve(file);
    if (!Files.isRegularFile(path)) {
      throw new IllegalArgumentException(missing(directory, file, kind));
    }
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(path);
    } catch (IOException e) {
      throw new UncheckedIOException("can't read " + path + ": " + e, e);
    }
    int record = kind.labelBytes + 3 * PLANE;
    if (bytes.length == 0 || bytes.length % record != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has %d bytes, expected a multiple of %d, one %s record:"
                  + " truncated? download it again",
              path,
              bytes.length,
              record,
              kind.title));
    }
    return bytes;
  }

  private static String missing(Path directory, String file, Kind kind) {
    String files = kind.train.get(0) + (kind.train.size() > 1 ? " …" : "") + " and " + kind.test;
    String hint = "expected " + files + " of the binary version of " + kind.title;
    if (Files.isDirectory(directory.resolve(kind.usualDirectory))) {
      hint = "did you mean " + directory.resolve(kind.usualDirectory) + "?";
    } else if (Files.isRegularFile(directory.resolve(file.replace(".bin", "")))) {
      hint += "; this is the Python version";
    }
    return "no " + file + " in " + directory + ": " + hint;
  }

  private static List<String> names(Path directory, Kind kind) {
    Optional<Path> file = Optional.of(directory.resolve(kind.names)).filter(Files::isRegularFile);
    if (file.isEmpty()) {
      return numbered(kind.classes);
    }
    try {
      List<String> names =
          Files.readAllLines(file.get()).stream()
              .map(String::strip)
              .filter(line -> !line.isEmpty())
              .toList();
      if (names.size() != kind.classes) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s names %d classes, %s has %d",
                file.get(),
                names.size(),
                kind.title,
                kind.classes));
      }
      return names;
    } catch (IOException e) {
      throw new UncheckedIOException("can't read " + file.get() + ": " + e, e);
    }
  }
}
