package org.swav4j.data;

import java.util.List;
import java.util.Optional;

/**
 * A finite, ordered collection of images, with or without labels.
 *
 * <p>Image {@code index} is the same image for the life of the source and in every instance opened
 * on the same data. Implementations are safe to read from several threads at once.
 */
public interface ImageSource {

  /** What this is, for people: {@code shapes (train)}, a directory. */
  String name();

  /** How many images there are, readable or not. */
  int size();

  /** Channels of every image read: 3 (RGB) or 1 (grey). */
  int channels();

  /**
   * Reads one image.
   *
   * @param index in {@code [0, size())}
   * @param atLeast shorter side in pixels that suffices; a decoder may return a reduced image whose
   *     shorter side is no less than this. {@link Integer#MAX_VALUE} asks for full size. A smaller
   *     original comes as it is, never enlarged.
   * @return an image of {@link #channels()} channels
   * @throws UnreadableImageException if this image is broken, of an unknown format or too large;
   *     the others may still be read
   * @throws IndexOutOfBoundsException if there is no such index
   */
  Image read(int index, int atLeast) throws UnreadableImageException;

  /** Class of an image in {@code [0, classes().size())}, or -1 where none is known. */
  int label(int index);

  /** Names of the classes by label; empty where there are none. */
  List<String> classes();

  /** Where the image is, for messages: a path, or {@code image 17 of train-images-idx3-ubyte}. */
  String describe(int index);

  /**
   * Where the image is inside the data set, which does not change when the data are moved: the path
   * relative to the folder that was opened, with slashes. Empty for images that have no file of
   * their own.
   */
  default Optional<String> relativePath(int index) {
    return Optional.empty();
  }

  /**
   * Identifies the data without decoding them: a SHA-256 as 64 hexadecimal digits, equal for
   * sources that hold the same images in the same order. For files it is made of the sorted paths
   * relative to the folder and the sizes in bytes, so that it stays when the folder is moved and
   * changes when a file is added, removed, renamed, or changes its size. This default is made of
   * {@link #name} and {@link #size}, for sources that are generated.
   */
  default String digest() {
    return new Fingerprint().add(name()).add(size()).hex();
  }
}
