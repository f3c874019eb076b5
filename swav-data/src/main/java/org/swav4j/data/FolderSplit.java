package org.swav4j.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.datavec.api.split.BaseInputSplit;

/**
 * The images in a folder and the folders in it, as a DataVec input split to be read.
 *
 * <p>Other than DataVec's {@code FileSplit}, whose order is the file system's, it lists images by
 * their path relative to the folder, so that image 7 is the same one on every machine. Symbolic
 * links are followed; hidden files, whose names start with a dot, are not seen, nor are files that
 * aren't images by their extension. Immutable and thread-safe.
 */
public final class FolderSplit extends BaseInputSplit {
  private static final List<String> READ =
      List.of(".jpg", ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".pnm");

  /** Images to people, but not to the decoder: listed, so that they are counted and named. */
  private static final List<String> NOT_READ = List.of(".webp", ".gif", ".tif", ".tiff");

  private final Path folder;

  /** Relative paths rather than the superclass' whole URIs: a million images fit in 100 MB. */
  private final String[] files;

  /** Some of the images of a folder. */
  FolderSplit(Path folder, List<String> files) {
    this.folder = folder;
    this.files = files.toArray(String[]::new);
    this.length = this.files.length;
  }

  /**
   * Lists a folder.
   *
   * @param folder an existing directory
   * @throws IllegalArgumentException if there is no such directory or no image in it
   * @throws UncheckedIOException if a directory can't be listed
   */
  public static FolderSplit of(Path folder) {
    return new FolderSplit(folder, list(folder));
  }

  /** Paths of the images relative to the folder, with slashes, in their order. */
  private static List<String> list(Path folder) {
    if (!Files.exists(folder)) {
      throw new IllegalArgumentException(
          "no such folder: "
              + folder
              + " (looked for "
              + folder.toAbsolutePath()
              + "): check the path");
    }
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          folder + " is a file, expected a folder of images: give the folder that holds it");
    }
    List<String> all = new ArrayList<>();
    try {
      Files.walkFileTree(
          folder,
          EnumSet.of(FileVisitOption.FOLLOW_LINKS),
          Integer.MAX_VALUE,
          new Listing(folder, all));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "can't list folder " + folder + ": " + e + ": check its permissions", e);
    }
    List<String> images =
        all.stream()
            .filter(f -> READ.contains(extension(f)) || NOT_READ.contains(extension(f)))
            .sorted()
            .toList();
    if (images.stream().noneMatch(f -> READ.contains(extension(f)))) {
      throw new IllegalArgumentException(noImage(folder, all));
    }
    return images;
  }

  private static String noImage(Path folder, List<String> all) {
    if (all.isEmpty()) {
      return "folder " + folder + " is empty, expected images: " + String.join(" ", READ);
    }
    Map<String, Long> counts =
        all.stream()
            .collect(
                Collectors.groupingBy(
                    f -> extension(f).isEmpty() ? "without extension" : extension(f),
                    TreeMap::new,
                    Collectors.counting()));
    String most =
        counts.entrySet().stream()
            .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
            .limit(4)
            .map(e -> e.getValue() + " " + e.getKey())
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        "no image among %d file%s (%s) in %s: expected %s",
        all.size(),
        all.size() == 1 ? "" : "s",
        most,
        folder,
        String.join(" ", READ));
  }

  private static final class Listing extends SimpleFileVisitor<Path> {
    private final Path folder;
    private final List<String> files;

    Listing(Path folder, List<String> files) {
      this.folder = folder;
      this.files = files;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
      boolean hidden = !directory.equals(folder) && isHidden(directory);
      return hidden ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      if (attributes.isRegularFile() && !isHidden(file)) {
        String relative = folder.relativize(file).toString();
        files.add(relative.replace(file.getFileSystem().getSeparator(), "/"));
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      // A link to a directory above it, or a file deleted meanwhile: nothing is lost without it.
      if (e instanceof FileSystemLoopException || e instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE;
      }
      throw e;
    }

    private static boolean isHidden(Path path) {
      return path.getFileName() != null && path.getFileName().toString().startsWith(".");
    }
  }

  private static String extension(String file) {
    int dot = file.lastIndexOf('.');
    return dot <= file.lastIndexOf('/') ? "" : file.substring(dot).toLowerCase(Locale.ROOT);
  }

  /** The folder. */
  Path folder() {
    return folder;
  }

  /** How many images there are. */
  int size() {
    return files.length;
  }

  /** Path of an image relative to the folder, with slashes. */
  String file(int index) {
    return files[index];
  }

  List<String> files() {
    return Arrays.asList(files);
  }

  Path path(int index) {
    return folder.resolve(files[index]);
  }

  @Override
  public long length() {
    return files.length;
  }

  @Override
  public URI[] locations() {
    URI[] all = new URI[files.length];
    Arrays.setAll(all, i -> path(i).toUri());
    return all;
  }

  @Override
  public Iterator<URI> locationsIterator() {
    return Arrays.stream(files).map(f -> folder.resolve(f).toUri()).iterator();
  }

  @Override
  public Iterator<String> locationsPathIterator() {
    return Arrays.stream(files).map(f -> folder.resolve(f).toUri().toString()).iterator();
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
