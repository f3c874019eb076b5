package org.swav4j.data;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.datavec.api.io.labels.PathLabelGenerator;
import org.datavec.api.split.FileSplit;
import org.datavec.api.split.InputSplit;
import org.datavec.api.split.InputStreamInputSplit;

/**
 * The images at the locations of a DataVec {@link InputSplit}: a {@code FileSplit}, a {@code
 * CollectionInputSplit}, an {@code InputStreamInputSplit}, or one of the user's own, whose {@code
 * openInputStreamFor} may read from HDFS, an archive or memory.
 *
 * <pre>{@code
 * ImageSource source = SplitSource.of(
 *     new FileSplit(folder, NativeImageLoader.ALLOWED_FORMATS), new ParentPathLabelGenerator(), 3);
 * }</pre>
 *
 * <p>Images have the order of the split's locations, except those of a {@code FileSplit}, which
 * lists them as the file system does: they are ordered by location. They are read and decoded
 * ({@link ImageDecoder}) when asked for. Thread-safe if the split's {@code openInputStreamFor} is,
 * as that of DataVec's splits is.
 */
public final class SplitSource implements ImageSource {
  /** Larger files are refused, in bytes. */
  private static final int MAX_FILE = 512 << 20;

  private final InputSplit split;
  private final String name;
  private final int channels;
  private final String[] locations;
  private final int[] labels;
  private final List<String> classes;

  /** Content of an {@code InputStreamInputSplit}, whose stream can be read once; otherwise null. */
  private final byte[] stream;

  private SplitSource(InputSplit split, PathLabelGenerator generator, int channels) {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(
          channels + " channels asked of an input split, expected 3 (RGB) or 1 (grey)");
    }
    this.split = split;
    this.channels = channels;
    this.stream = split instanceof InputStreamInputSplit s ? readOnce(s) : null;
    this.locations = locations(split);
    this.name =
        split instanceof FileSplit files
            ? files.getRootDir().toString()
            : split.getClass().getSimpleName();
    this.labels = new int[locations.length];
    Arrays.fill(labels, -1);
    this.classes = generator == null ? List.of() : label(generator);
  }

  /**
   * Images without labels.
   *
   * @param channels 3 for RGB (grey is repeated), 1 for grey (colour becomes luma)
   * @throws IllegalArgumentException if the split has no locations
   */
  public static SplitSource of(InputSplit split, int channels) {
    return new SplitSource(split, null, channels);
  }

  /**
   * Images whose labels are in their paths.
   *
   * @param labels such as {@code ParentPathLabelGenerator}; where it gives texts the classes are
   *     all different ones in alphabetical order, as in DataVec's {@code ImageRecordReader}; where
   *     it gives numbers they are 0 to the greatest
   * @param channels 3 for RGB (grey is repeated), 1 for grey (colour becomes luma)
   * @throws IllegalArgumentException if the split has no locations, or a label is a number below 0
   */
  public static SplitSource of(InputSplit split, PathLabelGenerator labels, int channels) {
    return new SplitSource(split, Objects.requireNonNull(labels, "labels"), channels);
  }

  private static byte[] readOnce(InputStreamInputSplit split) {
    try (InputStream in = split.getIs()) {
      return in.readNBytes(MAX_FILE);
    } catch (IOException e) {
      throw new UncheckedIOException("can't read the stream of an InputStreamInputSplit: " + e, e);
    }
  }

  private static String[] locations(InputSplit split) {
    URI[] uris = split.locations();
    if (split instanceof InputStreamInputSplit && uris.length == 0) {
      return new String[] {"stream"};
    }
    if (uris == null || uris.length == 0) {
      throw new IllegalArgumentException(
          split.getClass().getSimpleName()
              + " has no locations, expected one for each image: is its folder empty, or are all"
              + " files of other formats than it allows?");
    }
    String[] locations = Arrays.stream(uris).map(URI::toString).toArray(String[]::new);
    if (split instanceof FileSplit) {
      Arrays.sort(locations);
    }
    return locations;
  }

  private List<String> label(PathLabelGenerator generator) {
    if (!generator.inferLabelClasses()) {
      int greatest = -1;
      for (int i = 0; i < labels.length; i++) {
        labels[i] = generator.getLabelForPath(path(locations[i])).toInt();
        if (labels[i] < 0) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "%s gives label %d for %s, expected 0 or more",
                  generator.getClass().getSimpleName(),
                  labels[i],
                  locations[i]));
        }
        greatest = Math.max(greatest, labels[i]);
      }
      return PackedSource.numbered(greatest + 1);
    }
    String[] texts = new String[labels.length];
    Arrays.setAll(texts, i -> generator.getLabelForPath(path(locations[i])).toString());
    Set<String> different = new TreeSet<>(Arrays.asList(texts));
    List<String> sorted = List.copyOf(different);
    for (int i = 0; i < labels.length; i++) {
      labels[i] = Collections.binarySearch(sorted, texts[i]);
    }
    return sorted;
  }

  /** A location as a path: of a file as the system writes it, of anything else the URI's part. */
  private static String path(String location) {
    try {
      URI uri = URI.create(location);
      if ("file".equals(uri.getScheme())) {
        return new File(uri).toString(); // Path.of refuses letters that DataVec leaves unescaped
      }
      return uri.getPath() == null ? location : uri.getPath();
    } catch (IllegalArgumentException e) { // not a URI after all
      return location;
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int size() {
    return locations.length;
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    String what = describe(index);
    return ImageDecoder.decode(
        what, stream == null ? bytes(what, locations[index]) : stream, channels, atLeast);
  }

  private byte[] bytes(String what, String location) throws UnreadableImageException {
    byte[] bytes;
    try (InputStream in = open(location)) {
      bytes = in.readNBytes(MAX_FILE + 1);
    } catch (NoSuchFileException | FileNotFoundException e) {
      throw new UnreadableImageException(what, "the file is gone", e);
    } catch (Exception e) { // openInputStreamFor declares no less
      throw new UnreadableImageException(what, "can't be read: " + e, e);
    }
    if (bytes.length > MAX_FILE) {
      throw new UnreadableImageException(
          what, "more than " + (MAX_FILE >> 20) + " MiB, which is the most that is read");
    }
    return bytes;
  }

  /** Of some splits, such as {@code CollectionInputSplit}, DataVec opens nothing itself. */
  private InputStream open(String location) throws Exception {
    InputStream in = split.openInputStreamFor(location);
    return in != null ? in : URI.create(location).toURL().openStream();
  }

  @Override
  public int label(int index) {
    return labels[index];
  }

  @Override
  public List<String> classes() {
    return classes;
  }

  /** The path of a file, the URI of anything else. */
  @Override
  public String describe(int index) {
    String location = locations[Objects.checkIndex(index, locations.length)];
    return location.startsWith("file:") ? path(location) : location;
  }

  /**
   * Of the locations, of a {@code FileSplit} relative to its folder, and of the sizes of those that
   * are files.
   */
  @Override
  public String digest() {
    String root =
        split instanceof FileSplit files ? path(files.getRootDir().toURI().toString()) : "";
    Fingerprint fingerprint = new Fingerprint();
    for (String location : locations) {
      String path = path(location);
      fingerprint.add(path.startsWith(root) ? path.substring(root.length()) : path);
      fingerprint.add(location.startsWith("file:") ? new File(path).length() : 0);
    }
    return stream == null ? fingerprint.hex() : fingerprint.add(stream).hex();
  }
}
