package org.swav4j.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A folder of images, read from disk when asked for.
 *
 * <p>The class of an image is the first directory below the folder; directories further down belong
 * to it. A folder with fewer than two such classes has no labels, and images beside the class
 * directories have none either. Which files are images, and their order, is told by {@link
 * FolderSplit}. Thread-safe.
 */
public final class FolderSource implements ImageSource {
  /** Larger files are refused unread, in bytes. */
  private static final long MAX_FILE = 512L << 20;

  /** Share of a class that is held out unless another is asked for. */
  public static final double HOLDOUT = 0.2;

  private final FolderSplit split;
  private final String part;
  private final int channels;
  private final int[] labels;
  private final List<String> classes;

  /**
   * @param part the directory of the folder that these are in; empty if it is the folder itself
   */
  FolderSource(FolderSplit split, String part, int channels, List<String> classes) {
    this.split = split;
    this.part = part;
    this.channels = channels;
    this.classes = classes;
    this.labels = new int[split.files().size()];
    Map<String, Integer> numbers = new HashMap<>();
    for (String label : classes) {
      numbers.put(label, numbers.size());
    }
    for (int i = 0; i < labels.length; i++) {
      labels[i] =
          i > 0 && split.files().sameTop(i, i - 1)
              ? labels[i - 1]
              : numbers.getOrDefault(split.files().top(i), -1);
    }
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
    return new FolderSource(split, "", channels, FolderLayout.classes(split.files()));
  }

  /**
   * Lists a folder as a train and a test part, a fifth of each class held out where the folder has
   * no parts of its own.
   *
   * @see #split(Path, int, double)
   */
  public static DataSets split(Path folder, int channels) {
    return split(folder, channels, HOLDOUT);
  }

  /**
   * Lists a folder as a train and a test part.
   *
   * <p>Where the folder holds a directory for each part, those are the parts: {@code train} or
   * {@code training} and {@code test}, {@code testing}, {@code val}, {@code valid}, {@code
   * validation}, {@code dev} or {@code eval}, in any case, also with words such as {@code images}
   * beside. Of several for testing the first whose classes are learned is taken. Elsewhere a share
   * of the images is held out by a hash of their paths: an image is in the test part if the first
   * 64 bits of the SHA-256 of its path relative to the folder, divided by 2^64, are below {@code
   * holdout}. A folder without labels is for training entirely, and its test part is empty.
   *
   * <p>{@link DataSets#notes} says what was taken for what and what is left out.
   *
   * @param folder an existing directory
   * @param channels 3 for RGB, 1 for grey
   * @param holdout share of images that is held out, 0 to 0.5
   * @throws IllegalArgumentException if there is no such directory, no image in it, or the share is
   *     out of range
   * @throws UncheckedIOException if the directory can't be listed
   */
  public static DataSets split(Path folder, int channels, double holdout) {
    checkChannels(channels);
    if (!(holdout >= 0 && holdout <= 0.5)) {
      throw new IllegalArgumentException("holdout is " + holdout + ", expected 0 to 0.5");
    }
    return FolderLayout.of(folder, FolderListing.of(folder), channels, holdout);
  }

  private static void checkChannels(int channels) {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(
          channels + " channels asked of a folder, expected 3 (RGB) or 1 (grey)");
    }
  }

  /**
   * The images as a DataVec input split, in the order of this source: for DataVec's own readers.
   */
  public FolderSplit inputSplit() {
    return split;
  }

  @Override
  public String name() {
    return FileNames.text(split.folder());
  }

  @Override
  public int size() {
    return split.files().size();
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
    return split.describe(index);
  }

  @Override
  public Optional<String> relativePath(int index) {
    String name = split.files().text(index);
    return Optional.of(part.isEmpty() ? name : part + "/" + name);
  }

  @Override
  public String digest() {
    return split.files().digest();
  }
}
