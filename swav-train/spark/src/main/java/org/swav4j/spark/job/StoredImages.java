package org.swav4j.spark.job;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.swav4j.data.Image;
import org.swav4j.data.ImageDecoder;
import org.swav4j.data.ImageSource;
import org.swav4j.data.UnreadableImageException;

/**
 * Images on a file system of Hadoop's, read when asked for: files of their own, or stretches of
 * larger files. Thread-safe.
 */
public final class StoredImages implements ImageSource {
  private static final List<String> ENDINGS =
      List.of(
          ".jpg", ".jpeg", ".png", ".bmp", ".pbm", ".pgm", ".ppm", ".webp", ".tif", ".tiff",
          ".gif");

  /**
   * Where an image is.
   *
   * @param file that holds it
   * @param offset at which it begins, in bytes
   * @param length of it in bytes; -1 for the whole file
   * @param name by which images are put in order and told apart
   * @param label class, or -1
   */
  public record Entry(String file, long offset, long length, String name, int label)
      implements Serializable {
    /** As text, which any serialiser that an application may have chosen can send. */
    public String text() {
      return offset + "\t" + length + "\t" + label + "\t" + name + "\t" + file;
    }

    /** Reads what {@link #text} wrote. */
    public static Entry read(String text) {
      String[] parts = text.split("\t", 5);
      return new Entry(
          parts[4],
          Long.parseLong(parts[0]),
          Long.parseLong(parts[1]),
          parts[3],
          Integer.parseInt(parts[2]));
    }
  }

  /**
   * The list of all images, as it is sent to executors.
   *
   * @param name what they are called
   * @param entries in their order
   * @param classes names by label
   */
  public record Listing(String name, List<Entry> entries, List<String> classes)
      implements Serializable {
    /**
     * Entries in the order of their names, whatever order they were found in.
     *
     * @throws IllegalArgumentException if there are none
     */
    public static Listing sorted(String name, List<Entry> entries, List<String> classes) {
      if (entries.isEmpty()) {
        throw new IllegalArgumentException(
            "there is no image in " + name + ": is the path right, and are they JPEG or PNG?");
      }
      List<Entry> sorted = new ArrayList<>(entries);
      sorted.sort(Comparator.comparing(Entry::name).thenComparing(Entry::file));
      return new Listing(name, sorted, List.copyOf(classes));
    }

    /** As bytes, which any serialiser that an application may have chosen can send. */
    byte[] bytes() {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
        out.writeObject(this);
      } catch (IOException e) {
        throw new IllegalStateException("writing to memory can't fail", e);
      }
      return bytes.toByteArray();
    }

    /** Reads what {@link #bytes} wrote on the driver. */
    static Listing read(byte[] bytes) {
      try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
        return (Listing) in.readObject();
      } catch (IOException | ClassNotFoundException e) {
        throw new IllegalStateException("the list of images can't be read: " + e, e);
      }
    }
  }

  private final Listing listing;
  private final int channels;
  private final Configuration hadoop;
  private final LocalCopies copies;

  /**
   * @param channels 3 for RGB, 1 for grey
   * @param hadoop by which files are read
   * @param copies where what was read from other machines is kept; null to keep none
   */
  public StoredImages(Listing listing, int channels, Configuration hadoop, LocalCopies copies) {
    this.listing = listing;
    this.channels = channels;
    this.hadoop = hadoop;
    this.copies = copies;
  }

  /**
   * Whether {@code data} is the URI of a folder on a file system of Hadoop's, such as {@code
   * hdfs:///photos}, rather than images as {@code swav train} names them.
   */
  public static boolean isUri(String data) {
    return data.contains("://") || data.startsWith("file:/") || data.startsWith("hdfs:/");
  }

  /**
   * Lists a folder and those below it. The class of an image is the first folder below, where there
   * are two or more.
   *
   * @throws IllegalArgumentException if there is no such folder or no image in it
   * @throws UncheckedIOException if it can't be listed
   */
  public static Listing list(String folder, Configuration hadoop) {
    try {
      Path root = new Path(folder);
      FileSystem files = root.getFileSystem(hadoop);
      if (!files.exists(root)) {
        throw new IllegalArgumentException(
            "there is no folder " + folder + ": check the path, and the name of the file system");
      }
      String base = files.makeQualified(root).toString();
      List<FileStatus> found = new ArrayList<>();
      TreeSet<String> classes = new TreeSet<>();
      for (FileStatus file : below(root, files)) {
        String relative = relative(base, file.getPath());
        if (!hidden(relative) && hasEnding(relative)) {
          found.add(file);
          top(relative).ifPresent(classes::add);
        }
      }
      List<String> names = classes.size() < 2 ? List.of() : List.copyOf(classes);
      List<Entry> entries = new ArrayList<>();
      for (FileStatus file : found) {
        String relative = relative(base, file.getPath());
        int label = top(relative).map(names::indexOf).orElse(-1);
        entries.add(new Entry(file.getPath().toString(), 0, file.getLen(), relative, label));
      }
      return Listing.sorted(folder, entries, names);
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " can't be listed: " + e.getMessage(), e);
    }
  }

  /** The files in a folder and in those below it, in no particular order. */
  public static List<FileStatus> below(Path folder, FileSystem files) throws IOException {
    List<FileStatus> found = new ArrayList<>();
    if (files.getUri().getScheme().equals("file")) {
      // Listed at once, each would be asked for its owner, by a process of its own.
      for (FileStatus entry : files.listStatus(folder)) {
        if (entry.isDirectory()) {
          found.addAll(below(entry.getPath(), files));
        } else {
          found.add(entry);
        }
      }
      return found;
    }
    RemoteIterator<LocatedFileStatus> all = files.listFiles(folder, true);
    while (all.hasNext()) {
      found.add(all.next());
    }
    return found;
  }

  private static String relative(String base, Path file) {
    String path = file.toString();
    return path.startsWith(base) ? path.substring(base.length()).replaceFirst("^/", "") : path;
  }

  private static boolean hidden(String relative) {
    return ("/" + relative).contains("/.") || ("/" + relative).contains("/_");
  }

  private static boolean hasEnding(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return ENDINGS.stream().anyMatch(lower::endsWith);
  }

  private static Optional<String> top(String relative) {
    int slash = relative.indexOf('/');
    return slash < 0 ? Optional.empty() : Optional.of(relative.substring(0, slash));
  }

  @Override
  public String name() {
    return listing.name();
  }

  @Override
  public int size() {
    return listing.entries().size();
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    Entry entry = listing.entries().get(index);
    if (entry.length() > ImageDecoder.MAX_BYTES) {
      throw new UnreadableImageException(
          entry.name(), "more than " + (ImageDecoder.MAX_BYTES >> 20) + " MiB");
    }
    byte[] bytes;
    try {
      bytes = copies == null ? null : copies.get(index);
      if (bytes == null) {
        bytes = fetch(entry);
        if (copies != null) {
          copies.put(index, bytes);
        }
      }
    } catch (EOFException e) {
      throw new UnreadableImageException(entry.name(), "the file is shorter than it was", e);
    } catch (IOException e) {
      throw new UnreadableImageException(entry.name(), "can't be read: " + e.getMessage(), e);
    }
    return ImageDecoder.decode(entry.name(), bytes, channels, atLeast);
  }

  private byte[] fetch(Entry entry) throws IOException {
    Path path = new Path(entry.file());
    try (FSDataInputStream in = path.getFileSystem(hadoop).open(path)) {
      if (entry.length() < 0) {
        return in.readNBytes(ImageDecoder.MAX_BYTES);
      }
      byte[] bytes = new byte[(int) entry.length()];
      in.readFully(entry.offset(), bytes);
      return bytes;
    }
  }

  @Override
  public int label(int index) {
    return listing.entries().get(index).label();
  }

  @Override
  public List<String> classes() {
    return listing.classes();
  }

  @Override
  public String describe(int index) {
    return listing.entries().get(index).name();
  }

  @Override
  public Optional<String> relativePath(int index) {
    return Optional.of(listing.entries().get(index).name());
  }

  /** Of names and lengths, in their order. */
  @Override
  public String digest() {
    MessageDigest digest = sha256();
    for (Entry entry : listing.entries()) {
      byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
      digest.update(
          ByteBuffer.allocate(12 + name.length)
              .putInt(name.length)
              .put(name)
              .putLong(entry.length())
              .flip());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** A digest of content, by which images without a name are put in order. */
  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
