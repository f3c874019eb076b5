package org.swav4j.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A folder of images, read from disk when asked for.
 *
 * <p>The class of an image is the first directory below the folder; directories further down belong
 * to it. A folder with fewer than two such classes has no labels, and images beside the class
 * directories have none either. Which files are images, and their order, is told by {@link
 * FolderSplit}. Thread-safe.
 */
public final class FolderSource implements ImageSource {
  private static final List<String> TEST_DIRECTORIES =
      List.of("test", "val", "valid", "validation");

  /** Larger files are refused unread, in bytes. */
  private static final long MAX_FILE = 512L << 20;

  /** Every n-th image of a class is held out. */
  private static final int HELD_OUT = 5;

  private final FolderSplit split;
  private final String name;
  private final int channels;
  private final int[] labels;
  private final List<String> classes;

  private FolderSource(FolderSplit split, String name, int channels, List<String> classes) {
    this.split = split;
    this.name = name;
    this.channels = channels;
    this.classes = classes;
    this.labels = new int[split.size()];
    Map<String, Integer> numbers = new HashMap<>();
    for (String label : classes) {
      numbers.put(label, numbers.size());
    }
    Arrays.setAll(labels, i -> numbers.getOrDefault(classOf(split.file(i)), -1));
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
    FolderSplit split = FolderSplit.of(folder);
    return new FolderSource(split, folder.toString(), channels, classes(split.files()));
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
        return parts(FolderSplit.of(train), FolderSplit.of(test), channels);
      }
    }
    List<String> files = FolderSplit.of(folder).files();
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
        new FolderSource(new FolderSplit(folder, kept), folder + " (train)", channels, classes),
        new FolderSource(new FolderSplit(folder, held), folder + " (test)", channels, classes));
  }

  private static DataSets parts(FolderSplit train, FolderSplit test, int channels) {
    Set<String> union = new TreeSet<>(classes(train.files()));
    if (!union.isEmpty()) {
      union.addAll(classes(test.files()));
    }
    List<String> classes = List.copyOf(union);
    return new DataSets(
        new FolderSource(train, train.folder().toString(), channels, classes),
        new FolderSource(test, test.folder().toString(), channels, classes));
  }

  private static void checkChannels(int channels) {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(
          channels + " channels asked of a folder, expected 3 (RGB) or 1 (grey)");
    }
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

  /**
   * The images as a DataVec input split, in the order of this source: for DataVec's own readers.
   */
  public FolderSplit inputSplit() {
    return split;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int size() {
    return split.size();
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    Path file = split.path(index);
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
    return split.path(index).toString();
  }
}
