package org.swav4j.data;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Names of files relative to a folder, with slashes, and their sizes; sorted by the bytes of the
 * names. Immutable and thread-safe.
 *
 * <p>A name is kept as the bytes that the file system has. On Linux these need not be text in any
 * encoding, and the runtime turns text into bytes by the locale's encoding, which under {@code
 * LC_ALL=C} has no letters beyond ASCII: a path that went through a String there can't be opened. A
 * URI takes any byte through unharmed. A million names of 30 letters take 42 MB.
 */
final class FileNames {
  /** A name and its file's size in bytes. */
  @SuppressWarnings("ArrayRecordComponent")
  record Entry(byte[] name, long size) {}

  private final byte[] bytes;
  private final int[] ends;
  private final long[] sizes;

  private FileNames(byte[] bytes, int[] ends, long[] sizes) {
    this.bytes = bytes;
    this.ends = ends;
    this.sizes = sizes;
  }

  /** Sorts entries. */
  static FileNames of(List<Entry> entries) {
    Entry[] sorted = entries.toArray(Entry[]::new);
    Arrays.sort(sorted, (a, b) -> Arrays.compareUnsigned(a.name, b.name));
    long total = Arrays.stream(sorted).mapToLong(e -> e.name.length).sum();
    if (total > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the names of %d files take %d MiB, at most 2047 are kept: open parts of the folder",
              sorted.length,
              total >> 20));
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) total);
    int[] ends = new int[sorted.length];
    long[] sizes = new long[sorted.length];
    for (int i = 0; i < sorted.length; i++) {
      ends[i] = bytes.put(sorted[i].name).position();
      sizes[i] = sorted[i].size;
    }
    return new FileNames(bytes.array(), ends, sizes);
  }

  int size() {
    return ends.length;
  }

  /** Size of a file in bytes, as it was listed. */
  long bytes(int index) {
    return sizes[index];
  }

  byte[] name(int index) {
    return Arrays.copyOfRange(bytes, start(index), ends[index]);
  }

  private int start(int index) {
    return index == 0 ? 0 : ends[index - 1];
  }

  /** A name as text, see {@link #text(byte[])}. */
  String text(int index) {
    return text(name(index));
  }

  /** The first directory of a name as text; empty for a file beside the directories. */
  String top(int index) {
    int slash = slash(index);
    return slash < 0 ? "" : text(Arrays.copyOfRange(bytes, start(index), slash));
  }

  /** Whether two names have the same first directory, or both none. */
  boolean sameTop(int index, int other) {
    int slash = slash(index);
    int otherSlash = slash(other);
    return slash < 0 || otherSlash < 0
        ? slash == otherSlash
        : Arrays.equals(bytes, start(index), slash, bytes, start(other), otherSlash);
  }

  /** Where the first slash of a name is; -1 if it has none. */
  private int slash(int index) {
    for (int i = start(index); i < ends[index]; i++) {
      if (bytes[i] == '/') {
        return i;
      }
    }
    return -1;
  }

  /** Those whose index is wanted. */
  FileNames where(IntPredicate wanted) {
    int[] chosen = IntStream.range(0, size()).filter(wanted).toArray();
    return chosen.length == size() ? this : of(entries(chosen, 0));
  }

  /** Those in a first directory, without its name. */
  FileNames in(String top) {
    int[] chosen = IntStream.range(0, size()).filter(i -> top(i).equals(top)).toArray();
    return of(entries(chosen, top.getBytes(UTF_8).length + 1));
  }

  private List<Entry> entries(int[] chosen, int without) {
    return Arrays.stream(chosen)
        .mapToObj(i -> new Entry(Arrays.copyOfRange(bytes, start(i) + without, ends[i]), sizes[i]))
        .toList();
  }

  /** The file of a name. */
  Path path(Path folder, int index) {
    byte[] name = name(index);
    if (isAscii(name) || folder.getFileSystem() != FileSystems.getDefault()) {
      return folder.resolve(new String(name, UTF_8));
    }
    String root = folder.toUri().toString();
    return Path.of(URI.create((root.endsWith("/") ? root : root + "/") + encoded(name)));
  }

  /** SHA-256 of all names and sizes. */
  String digest() {
    Fingerprint fingerprint = new Fingerprint();
    for (int i = 0; i < size(); i++) {
      fingerprint.add(name(i)).add(sizes[i]);
    }
    return fingerprint.hex();
  }

  /**
   * A name as people read it: UTF-8, with bytes that are none as {@code \xE4}. It doesn't depend on
   * the locale, and different names stay different unless one holds such a text itself.
   */
  static String text(byte[] name) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(name)).toString();
    } catch (CharacterCodingException e) {
      StringBuilder text = new StringBuilder();
      for (byte b : name) {
        text.append(b >= 0 ? "" + (char) b : String.format(Locale.ROOT, "\\x%02X", b & 0xff));
      }
      return text.toString();
    }
  }

  /** A path as people read it, whatever the locale. */
  static String text(Path path) {
    String text = path.toString();
    if (isAscii(text) || path.getFileSystem() != FileSystems.getDefault()) {
      return text;
    }
    String separator = path.getFileSystem().getSeparator();
    StringBuilder whole =
        new StringBuilder(path.isAbsolute() ? FileNames.root(path, separator) : "");
    for (int i = 0; i < path.getNameCount(); i++) {
      whole.append(i == 0 ? "" : separator).append(text(lastName(path.subpath(0, i + 1))));
    }
    return whole.toString();
  }

  private static String root(Path path, String separator) {
    return path.getRoot() == null ? separator : path.getRoot().toString();
  }

  /** The bytes of a path's last name, as the file system has them. */
  static byte[] lastName(Path path) {
    String text = String.valueOf(path.getFileName());
    if (isAscii(text) || path.getFileSystem() != FileSystems.getDefault()) {
      return text.getBytes(UTF_8);
    }
    String raw = path.getFileName().toUri().getRawPath();
    if (raw.endsWith("/")) {
      raw = raw.substring(0, raw.length() - 1);
    }
    return decoded(raw.substring(raw.lastIndexOf('/') + 1));
  }

  private static boolean isAscii(byte[] name) {
    for (byte b : name) {
      if (b < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean isAscii(String text) {
    return text.chars().allMatch(c -> c < 128);
  }

  /** Percent-encoded but for letters, digits and slashes. */
  private static String encoded(byte[] name) {
    StringBuilder text = new StringBuilder();
    for (byte b : name) {
      boolean plain =
          b == '/' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z';
      text.append(plain ? "" + (char) b : String.format(Locale.ROOT, "%%%02X", b & 0xff));
    }
    return text.toString();
  }

  private static byte[] decoded(String raw) {
    ByteArrayOutputStream name = new ByteArrayOutputStream();
    byte[] text = raw.getBytes(US_ASCII); // what a raw URI consists of
    for (int i = 0; i < text.length; i++) {
      if (text[i] == '%') {
        name.write(Integer.parseInt(raw.substring(i + 1, i + 3), 16));
        i += 2;
      } else {
        name.write(text[i]);
      }
    }
    return name.toByteArray();
  }
}
