package org.swav4j.train.features;

import java.io.Closeable;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntFunction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.AtomicFile;
import org.swav4j.train.host.HostTensor;

/**
 * Writes features to a file, batch by batch: {@code .npy} (NumPy's format 1.0, little-endian float,
 * {@code [N, D]}) or {@code .csv} ({@code path,label,f0,f1,…}, one line per image, UTF-8). The file
 * appears under its name only when {@link #finish} has succeeded; until then, and after {@link
 * #close} without it, what was there before stays.
 *
 * <pre>{@code
 * try (FeatureFile file = FeatureFile.create(path, 512)) {
 *   file.append(features, labels, i -> source.describe(i));
 *   file.finish();
 * }
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class FeatureFile implements Closeable {
  /** Room for the longest header; a multiple of 64, as the format wants. */
  private static final int NPY_HEADER = 128;

  private enum Format {
    NPY,
    CSV
  }

  private final Path target;
  private final AtomicFile file;
  private final Format format;
  private final int dim;
  private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
  private long rows;

  private FeatureFile(Path target, Format format, int dim) throws IOException {
    this.target = target;
    this.format = format;
    this.dim = dim;
    this.file = start(target);
  }

  /**
   * Starts a file; its folder is made if it does not exist.
   *
   * @param file ends in {@code .npy} or {@code .csv}
   * @param dim D, features per row
   * @throws IllegalArgumentException if the name ends otherwise
   * @throws IOException if the place cannot be written
   */
  public static FeatureFile create(Path file, int dim) throws IOException {
    Path target = file.toAbsolutePath();
    Format format = format(target);
    FeatureFile started = new FeatureFile(target, format, dim);
    try {
      started.start();
      return started;
    } catch (IOException e) {
      started.close();
      throw e;
    }
  }

  /** Starts a file of any kind, in a folder that is made if it does not exist. */
  static AtomicFile start(Path target) throws IOException {
    try {
      if (Files.isDirectory(target)) {
        throw new FileSystemException(target.toString(), null, "is a directory");
      }
      Files.createDirectories(target.getParent());
      return AtomicFile.open(target);
    } catch (IOException e) {
      throw explained(target, e);
    }
  }

  /**
   * Refuses a name that no file can be started under, before anything is computed for it.
   *
   * @throws IllegalArgumentException if it ends neither in {@code .npy} nor in {@code .csv}
   */
  public static void requireKnownEnding(Path file) {
    format(file);
  }

  private static Format format(Path file) {
    String name = file.getFileName() == null ? "" : file.getFileName().toString();
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.endsWith(".npy")) {
      return Format.NPY;
    }
    if (lower.endsWith(".csv")) {
      return Format.CSV;
    }
    throw new IllegalArgumentException(
        "features cannot be written to '" + name + "': the name must end in .npy or .csv");
  }

  private void start() throws IOException {
    if (format == Format.NPY) {
      put(npyHeader(0));
    } else {
      StringBuilder header = new StringBuilder("path,label");
      for (int d = 0; d < dim; d++) {
        header.append(",f").append(d);
      }
      put(header.append('\n').toString());
    }
  }

  /**
   * Adds rows.
   *
   * @param features {@code [n, D]}, float
   * @param labels n class numbers, -1 for none; csv only
   * @param describe path or other name of row i of this call; csv only
   * @throws IllegalArgumentException if the shapes do not fit
   * @throws IOException if the disk is full or fails
   */
  public void append(INDArray features, int[] labels, IntFunction<String> describe)
      throws IOException {
    if (features.rank() != 2 || features.size(1) != dim || features.size(0) != labels.length) {
      throw new IllegalArgumentException(
          "features "
              + Arrays.toString(features.shape())
              + " with "
              + labels.length
              + " labels, expected [n, "
              + dim
              + "] and n labels");
    }
    FloatBuffer values = new HostTensor().read(features);
    if (format == Format.NPY) {
      for (int i = 0; i < values.limit(); i++) {
        room(Float.BYTES);
        buffer.putFloat(values.get(i));
      }
    } else {
      StringBuilder line = new StringBuilder();
      for (int n = 0; n < labels.length; n++) {
        line.setLength(0);
        line.append(CsvFile.quoted(describe.apply(n))).append(',').append(labels[n]);
        for (int d = 0; d < dim; d++) {
          line.append(',').append(values.get(n * dim + d));
        }
        put(line.append('\n').toString());
      }
    }
    // The buffer alone would not keep the array's memory alive.
    Reference.reachabilityFence(features);
    rows += labels.length;
  }

  private String npyHeader(long n) {
    String dictionary =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + n + ", " + dim + "), }";
    int space = NPY_HEADER - 10 - dictionary.length() - 1;
    return "\u0093NUMPY\u0001\u0000"
        + (char) (NPY_HEADER - 10)
        + '\u0000'
        + dictionary
        + " ".repeat(space)
        + '\n';
  }

  private void put(String text) throws IOException {
    byte[] bytes =
        text.getBytes(format == Format.NPY ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
    for (int done = 0; done < bytes.length; ) {
      room(1);
      int part = Math.min(buffer.remaining(), bytes.length - done);
      buffer.put(bytes, done, part);
      done += part;
    }
  }

  private void room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  private void flush() throws IOException {
    buffer.flip();
    try {
      while (buffer.hasRemaining()) {
        file.channel().write(buffer);
      }
    } catch (IOException e) {
      throw explained(target, e);
    }
    buffer.clear();
  }

  /**
   * Completes the file and puts it in its place.
   *
   * @throws IOException if the disk is full or fails; the target is then as it was
   */
  public void finish() throws IOException {
    flush();
    if (format == Format.NPY) {
      try {
        file.channel().position(0);
      } catch (IOException e) {
        throw explained(target, e);
      }
      put(npyHeader(rows));
      flush();
    }
    try {
      file.commit();
    } catch (IOException e) {
      throw explained(target, e);
    }
  }

  /** Drops what was written unless {@link #finish} has succeeded. */
  @Override
  public void close() throws IOException {
    file.close();
  }

  /** What went wrong with a file that is written, and how much room there is. */
  static IOException explained(Path target, IOException cause) {
    Path place = target.getParent();
    while (place != null && !Files.exists(place)) {
      place = place.getParent();
    }
    String free = "";
    try {
      free = place == null ? "" : "; " + (place.toFile().getUsableSpace() >> 20) + " MB are free";
    } catch (SecurityException e) {
      free = "";
    }
    String reason =
        cause instanceof FileSystemException failed ? words(failed) : cause.getMessage();
    return new IOException(
        "cannot write features to "
            + target
            + " ("
            + reason
            + free
            + "): choose a folder you may write to, with room",
        cause);
  }

  private static String words(FileSystemException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return e.getFile() + " is a file, not a folder";
    }
    return e.getReason() == null ? "no file can be made there" : e.getReason();
  }
}
