package org.swav4j.train.features;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.swav4j.model.AtomicFile;

/**
 * A CSV file as RFC 4180 has it but for the ends of lines, which are LF; UTF-8. It appears under
 * its name only when {@link #finish} has succeeded; until then, and after {@link #close} without
 * it, what was there before stays.
 *
 * <pre>{@code
 * try (CsvFile csv = CsvFile.create(path, "path", "similarity")) {
 *   csv.line("a/1.png", 0.97);
 *   csv.finish();
 * }
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class CsvFile implements Closeable {
  private final Path target;
  private final AtomicFile file;
  private final BufferedWriter out;
  private final int columns;

  private CsvFile(Path target, int columns) throws IOException {
    this.target = target;
    this.columns = columns;
    this.file = FeatureFile.start(target);
    this.out =
        new BufferedWriter(new OutputStreamWriter(Channels.newOutputStream(file.channel()), UTF_8));
  }

  /**
   * Starts a file with a line that names the columns; its folder is made if it does not exist.
   *
   * @throws IOException if the place cannot be written
   */
  public static CsvFile create(Path file, String... columns) throws IOException {
    CsvFile csv = new CsvFile(file.toAbsolutePath(), columns.length);
    csv.line((Object[]) columns);
    return csv;
  }

  /** Where it is. */
  public Path file() {
    return target;
  }

  /**
   * Adds a line.
   *
   * @param fields one for each column, written as {@link String#valueOf(Object)} has them
   * @throws IllegalArgumentException if there are more or fewer
   * @throws IOException if the disk is full or fails
   */
  public void line(Object... fields) throws IOException {
    if (fields.length != columns) {
      throw new IllegalArgumentException(
          fields.length + " fields for " + columns + " columns of " + target);
    }
    String line =
        Arrays.stream(fields)
            .map(String::valueOf)
            .map(CsvFile::quoted)
            .collect(Collectors.joining(","));
    try {
      out.write(line);
      out.write('\n');
    } catch (IOException e) {
      throw FeatureFile.explained(target, e);
    }
  }

  static String quoted(String field) {
    if (field.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')) {
      return field;
    }
    return '"' + field.replace("\"", "\"\"") + '"';
  }

  /**
   * Completes the file and puts it in its place.
   *
   * @throws IOException if the disk is full or fails; an older file is then as it was
   */
  public void finish() throws IOException {
    try {
      out.flush();
      file.commit();
    } catch (IOException e) {
      throw FeatureFile.explained(target, e);
    }
  }

  /** Drops what was written unless {@link #finish} has succeeded. */
  @Override
  public void close() throws IOException {
    file.close();
  }
}
