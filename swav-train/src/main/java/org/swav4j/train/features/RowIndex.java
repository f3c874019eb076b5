package org.swav4j.train.features;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.swav4j.data.ImageSource;

/**
 * Ties the rows of a feature file to images: a CSV file beside it, UTF-8, of the columns {@code
 * row,path,part,label,class,skipped}. There is a line for each image, in the order of the rows,
 * which count from 0; an image that could not be read has no row, and the reason in the last
 * column. Paths are relative to the folder of the data. The file appears when {@link #finish} has
 * succeeded. Not thread-safe.
 */
public final class RowIndex implements Closeable {
  private final CsvFile csv;
  private long rows;

  private RowIndex(CsvFile csv) {
    this.csv = csv;
  }

  /**
   * Starts the index of a feature file: {@code features.index.csv} for {@code features.npy}.
   *
   * @throws IOException if the place cannot be written
   */
  public static RowIndex of(Path features) throws IOException {
    String name = features.getFileName().toString();
    int dot = name.lastIndexOf('.');
    Path file =
        features
            .toAbsolutePath()
            .resolveSibling(name.substring(0, dot < 0 ? name.length() : dot) + ".index.csv");
    return new RowIndex(CsvFile.create(file, "row", "path", "part", "label", "class", "skipped"));
  }

  /** Where it is. */
  public Path file() {
    return csv.file();
  }

  /** An image that has the next row. */
  public void row(ImageSource source, int index, String part) throws IOException {
    line(Long.toString(rows++), source, index, part, "");
  }

  /** An image that was left out. */
  public void skipped(ImageSource source, int index, String part, String reason)
      throws IOException {
    line("", source, index, part, reason);
  }

  private void line(String row, ImageSource source, int index, String part, String reason)
      throws IOException {
    csv.line(
        row,
        ImageNames.path(source, index),
        part,
        source.label(index),
        ImageNames.label(source, index),
        reason);
  }

  /**
   * Completes the file and puts it in its place.
   *
   * @throws IOException if the disk is full or fails; an older file is then as it was
   */
  public void finish() throws IOException {
    csv.finish();
  }

  /** Drops what was written unless {@link #finish} has succeeded. */
  @Override
  public void close() throws IOException {
    csv.close();
  }
}
