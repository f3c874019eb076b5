package org.swav4j.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Grey images in the format of MNIST: {@code train-images-idx3-ubyte} and {@code
 * train-labels-idx1-ubyte}, {@code t10k-…} for the test part, each plain or compressed ({@code
 * .gz}). Held in memory. Thread-safe.
 *
 * @see <a href="http://yann.lecun.com/exdb/mnist/">The format, at the end of the page</a>
 */
public final class IdxSource extends PackedSource {
  private static final int IMAGES = 0x00000803;
  private static final int LABELS = 0x00000801;

  private IdxSource(String name, Content content, List<String> classes) {
    super(name, content, classes);
  }

  /**
   * Reads the files of a directory. Labels may be missing, and so may the test part.
   *
   * @throws IllegalArgumentException if the training images are missing, or a file is not what its
   *     name says
   * @throws UncheckedIOException if a file can't be read
   */
  public static DataSets open(Path directory) {
    Path train =
        find(directory, "train-images", 3)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "no train-images-idx3-ubyte[.gz] in "
                            + directory
                            + ": an idx data set is a directory with train-images-idx3-ubyte,"
                            + " train-labels-idx1-ubyte and the same as t10k-, plain or .gz"));
    Optional<Path> trainLabels = find(directory, "train-labels", 1);
    Optional<Path> test = find(directory, "t10k-images", 3);
    Optional<Path> testLabels = find(directory, "t10k-labels", 1);

    Content trainContent = content(train, trainLabels);
    Content testContent =
        test.map(images -> content(images, testLabels))
            .orElse(
                new Content(
                    trainContent.width(), trainContent.height(), 1, new byte[0], new int[0]));
    int highest =
        Math.max(
            Arrays.stream(trainContent.labels()).max().orElse(-1),
            Arrays.stream(testContent.labels()).max().orElse(-1));
    List<String> classes = numbered(highest + 1);
    return new DataSets(
        new IdxSource(train.toString(), trainContent, classes),
        new IdxSource(
            test.map(Path::toString).orElse(directory + " (no test part)"), testContent, classes));
  }

  /** Whether {@link #open} would find training images there. */
  static boolean isIn(Path directory) {
    return find(directory, "train-images", 3).isPresent();
  }

  private static Optional<Path> find(Path directory, String part, int dimensions) {
    for (String separator : List.of("-", ".")) { // some mirrors unpack to train-images.idx3-ubyte
      for (String extension : List.of("", ".gz")) {
        Path file = directory.resolve(part + separator + "idx" + dimensions + "-ubyte" + extension);
        if (Files.isRegularFile(file)) {
          return Optional.of(file);
        }
      }
    }
    return Optional.empty();
  }

  private static Content content(Path images, Optional<Path> labelFile) {
    ByteBuffer file = read(images, IMAGES, "images");
    int count = file.getInt(4);
    int height = file.getInt(8);
    int width = file.getInt(12);
    if (count < 0 || width < 1 || height < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s says that it holds %d images of %dx%d pixels: its header is damaged, download it"
                  + " again",
              images,
              count,
              width,
              height));
    }
    checkLength(images, file, 16, (long) count * width * height);
    int[] labels = new int[count];
    Arrays.fill(labels, -1);
    labelFile.ifPresent(path -> fill(labels, path, images));
    byte[] pixels = Arrays.copyOfRange(file.array(), 16, file.capacity());
    return new Content(width, height, 1, pixels, labels);
  }

  private static void fill(int[] labels, Path path, Path images) {
    ByteBuffer file = read(path, LABELS, "labels");
    int count = file.getInt(4);
    if (count != labels.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has %d labels, %s has %d images: do the two files belong together?",
              path,
              count,
              images,
              labels.length));
    }
    checkLength(path, file, 8, count);
    Arrays.setAll(labels, i -> file.get(8 + i) & 0xff);
  }

  private static ByteBuffer read(Path path, int magic, String what) {
    boolean gzip = path.toString().endsWith(".gz");
    ByteBuffer file;
    try (InputStream raw = Files.newInputStream(path);
        InputStream in = gzip ? new GZIPInputStream(raw, 1 << 16) : raw) {
      file = ByteBuffer.wrap(in.readAllBytes());
    } catch (ZipException | EOFException e) {
      throw new IllegalArgumentException(
          path + " is not a whole gzip file (" + e.getMessage() + "): download it again", e);
    } catch (IOException e) {
      throw new UncheckedIOException("can't read " + path + ": " + e, e);
    }
    int header = magic == IMAGES ? 16 : 8;
    if (file.capacity() < header) {
      throw new IllegalArgumentException(
          path + " has " + file.capacity() + " bytes, not even a header: download it again");
    }
    if (file.getInt(0) != magic) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s starts with %08x, an idx file of %s with %08x: %s",
              path,
              file.getInt(0),
              what,
              magic,
              file.getShort(0) == 0x1f8b
                  ? "it is compressed, add .gz to its name"
                  : "is it the right file?"));
    }
    return file;
  }

  private static void checkLength(Path path, ByteBuffer file, int header, long expected) {
    if (file.capacity() - header != expected) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has %d bytes after its header, which promises %d: %s download it again",
              path,
              file.capacity() - header,
              expected,
              file.capacity() - header < expected
                  ? "truncated?"
                  : "damaged, or something was appended?"));
    }
  }
}
