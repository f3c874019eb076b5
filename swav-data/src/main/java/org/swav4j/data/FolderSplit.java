package org.swav4j.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.datavec.api.split.BaseInputSplit;

/**
 * The images in a folder and the folders in it, as a DataVec input split to be read.
 *
 * <p>Other than DataVec's {@code FileSplit}, whose order is the file system's, it lists images by
 * their path relative to the folder, so that image 7 is the same one on every machine. A file is an
 * image by its ending or by its first bytes. Symbolic links are followed; what is hidden, by a dot
 * or a name such as {@code @eaDir}, is not seen. Immutable and thread-safe.
 */
public final class FolderSplit extends BaseInputSplit {
  private final Path folder;
  private final FileNames files;

  /** Some of the images of a folder. */
  FolderSplit(Path folder, FileNames files) {
    this.folder = folder;
    this.files = files;
    this.length = files.size();
  }

  /**
   * Lists a folder.
   *
   * @param folder an existing directory
   * @throws IllegalArgumentException if there is no such directory or no image in it
   * @throws UncheckedIOException if the directory can't be listed
   */
  public static FolderSplit of(Path folder) {
    return new FolderSplit(folder, FolderListing.of(folder).images());
  }

  /** The folder. */
  Path folder() {
    return folder;
  }

  FileNames files() {
    return files;
  }

  Path path(int index) {
    return files.path(folder, index);
  }

  /** An image's path as people read it, whatever the locale. */
  String describe(int index) {
    String separator = folder.getFileSystem().getSeparator();
    String name = files.text(index);
    String whole = FileNames.text(folder);
    return (whole.isEmpty() || whole.endsWith(separator) ? whole : whole + separator)
        + name.replace("/", separator);
  }

  @Override
  public long length() {
    return files.size();
  }

  @Override
  public URI[] locations() {
    return uris().toArray(URI[]::new);
  }

  @Override
  public Iterator<URI> locationsIterator() {
    return uris().iterator();
  }

  @Override
  public Iterator<String> locationsPathIterator() {
    return uris().map(URI::toString).iterator();
  }

  private Stream<URI> uris() {
    return IntStream.range(0, files.size()).mapToObj(i -> path(i).toUri());
  }

  /** Opens an image by its location as listed here. */
  @Override
  public InputStream openInputStreamFor(String location) throws IOException {
    return Files.newInputStream(Path.of(URI.create(location)));
  }

  /** Nothing to do: the order is fixed. */
  @Override
  public void reset() {}

  @Override
  public boolean resetSupported() {
    return true;
  }

  /** Nothing to do: the folder was listed once and for all. */
  @Override
  public void updateSplitLocations(boolean reset) {}

  @Override
  public boolean needsBootstrapForWrite() {
    return false;
  }

  @Override
  public void bootStrapForWrite() {
    throw readOnly();
  }

  @Override
  public boolean canWriteToLocation(URI location) {
    return false;
  }

  @Override
  public OutputStream openOutputStreamFor(String location) {
    throw readOnly();
  }

  private UnsupportedOperationException readOnly() {
    return new UnsupportedOperationException("the images of " + folder + " are only read");
  }
}
