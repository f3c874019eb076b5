package org.swav4j.data;

import java.io.IOException;
import java.io.UncheckedIOException;
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
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A folder of images, read from disk when asked for.
 *
 * <p>The class of an image is the first directory below the folder; directories further down belong
 * to it. A folder with fewer than two such classes has no labels, and images beside the class
 * directories have none either. Images are ordered by their path relative to the folder, so the
 * order does not depend on the file system. Symbolic links are followed; hidden files, whose names
 * start with a dot, are not seen. Thread-safe.
 */
public final class FolderSource implements ImageSource {
  private static final List<String> READ =
      List.of(".jpg", ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".pnm");

  /** Images to people, but not to the decoder: listed, so that they are counted and named. */
  private static final List<String> NOT_READ = List.of(".webp", ".gif", ".tif", ".tiff");

  private static final List<String> TEST_DIRECTORIES =
      List.of("test", "val", "valid", "validation");

  /** Larger files are refused unread, in bytes. */
  private static final long MAX_FILE = 512L << 20;

  /** Every n-th image of a class is held out. */
  private static final int HELD_OUT = 5;

  private final Path root;
  private final String name;
  private final int channels;
  private final String[] files;
  private final int[] labels;
  private final List<String> classes;

  private FolderSource(
      Path root, String name, int channels, List<String> files, List<String> classes) {
    this.root = root;
    this.name = name;
    this.channels = channels;
    this.files = files.toArray(String[]::new);
    this.classes = classes;
    this.labels = new int[this.files.length];
    Map<String, Integer> numbers = new HashMap<>();
    for (String label : classes) {
      numbers.put(label, numbers.size());
    }
    Arrays.setAll(labels, i -> numbers.getOrDefault(classOf(this.files[i]), -1));
  }

  /**
   * Lists a folder as one source.
   *
   * @param folder an existing directory
   * @param channels 3 for RGB, 1 for grey
   * @throws IllegalArgumentException if there is no such directory or no image in it
   * @throws UncheckedIOException if a directory can't be listed
   */
  public static FolderSource open(Path folder, int channels) {
    checkChannels(channels);
    List<String> files = list(folder);
    return new FolderSource(folder, folder.toString(), channels, files, classes(files));
  }

  /**
   * Lists a folder as a train and a test part.
   *
   * <p>Where the folder holds a directory {@code train} and one of {@code test}, {@code val},
   * {@code valid} or {@code validation}, those are the parts. Elsewhere every fifth image of a
   * class, in an order given by a hash of the paths, is held out; a folder without labels is for
   * training entirely, and its test part is empty.
   *
   * @param folder an existing directory
   * @param channels 3 for RGB, 1 for grey
   * @throws IllegalArgumentException if there is no such directory or no image in it
   * @throws UncheckedIOException if a directory can't be listed
   */
  public static DataSets split(Path folder, int channels) {
    checkChannels(channels);
    Path train = folder.resolve("train");
    for (String directory : TEST_DIRECTORIES) {
      Path test = folder.resolve(directory);
      if (Files.isDirectory(train) && Files.isDirectory(test)) {
        return parts(train, list(train), test, list(test), channels);
      }
    }
    List<String> files = list(folder);
    List<String> classes = classes(files);
    List<String> kept = new ArrayList<>();
    List<String> held = new ArrayList<>();
    if (classes.isEmpty()) {
      kept.addAll(files);
    } else {
      Map<String, List<String>> byClass = new TreeMap<>();
      for (String file : files) {
        byClass.computeIfAbsent(classOf(file), c -> new ArrayList<>()).add(file);
      }
      kept.addAll(byClass.getOrDefault("", List.of()));
      byClass.remove("");
      for (List<String> members : byClass.values()) {
        members.sort(Comparator.comparingLong(FolderSource::hash));
        for (int i = 0; i < members.size(); i++) {
          (i % HELD_OUT == HELD_OUT - 1 ? held : kept).add(members.get(i));
        }
      }
      kept.sort(null);
      held.sort(null);
    }
    return new DataSets(
        new FolderSource(folder, folder + " (train)", channels, kept, classes),
        new FolderSource(folder, folder + " (test)", channels, held, classes));
  }

  private static DataSets parts(
      Path train, List<String> trainFiles, Path test, List<String> testFiles, int channels) {
    Set<String> union = new TreeSet<>(classes(trainFiles));
    if (!union.isEmpty()) {
      union.addAll(classes(testFiles));
    }
    List<String> classes = List.copyOf(union);
    return new DataSets(
        new FolderSource(train, train.toString(), channels, trainFiles, classes),
        new FolderSource(test, test.toString(), channels, testFiles, classes));
  }

  private static void checkChannels(int channels) {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(
          channels + " channels asked of a folder, expected 3 (RGB) or 1 (grey)");
    }
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
        "no image among %d file%s (%s) in %s: expected %s",
        all.size(), all.size() == 1 ? "" : "s", most, folder, String.join(" ", READ));
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

  /** The first directory, or an empty name for an image beside the directories. */
  private static String classOf(String file) {
    int slash = file.indexOf('/');
    return slash < 0 ? "" : file.substring(0, slash);
  }

  private static List<String> classes(List<String> files) {
    List<String> classes =
        files.stream().map(FolderSource::classOf).filter(c -> !c.isEmpty()).distinct().toList();
    return classes.size() < 2 ? List.of() : classes.stream().sorted().toList();
  }

  /** Orders paths arbitrarily but always alike: FNV-1a with a final mix. */
  private static long hash(String file) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < file.length(); i++) {
      hash = (hash ^ file.charAt(i)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
    return hash ^ (hash >>> 32);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int size() {
    return files.length;
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    Path file = path(index);
    byte[] bytes;
    try {
      long size = Files.size(file);
      if (size > MAX_FILE) {
        throw new UnreadableImageException(
            describe(index),
            "file of " + (size >> 20) + " MiB, at most " + (MAX_FILE >> 20) + " are read");
      }
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new UnreadableImageException(describe(index), "the file is gone", e);
    } catch (IOException e) {
      throw new UnreadableImageException(describe(index), "can't be read: " + e, e);
    }
    return ImageDecoder.decode(describe(index), bytes, channels, atLeast);
  }

  @Override
  public int label(int index) {
    return labels[index];
  }

  @Override
  public List<String> classes() {
    return classes;
  }

  @Override
  public String describe(int index) {
    return path(index).toString();
  }

  private Path path(int index) {
    return root.resolve(files[Objects.checkIndex(index, files.length)]);
  }
}
