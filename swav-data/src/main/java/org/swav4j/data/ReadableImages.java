package org.swav4j.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A source in which the next readable image stands in for one that can't be read. An image found
 * unreadable is noted once and not tried again. Thread-safe.
 */
final class ReadableImages {
  /** An image and its index in the source. */
  record Found(int index, Image image) {}

  private final ImageSource source;
  private final int sufficientSide;
  private final AtomicIntegerArray unreadable;
  private final SkippedImages skipped = new SkippedImages();

  /**
   * @param sufficientSide shorter side in pixels from which a larger image brings the crops nothing
   */
  ReadableImages(ImageSource source, int sufficientSide) {
    this.source = source;
    this.sufficientSide = sufficientSide;
    this.unreadable = new AtomicIntegerArray(source.size());
  }

  SkippedImages skipped() {
    return skipped;
  }

  /**
   * The image asked for, or the first readable one after it; after the last comes the first.
   *
   * @throws UncheckedIOException if the source has no readable image
   */
  Found at(int index) {
    for (int tried = 0; tried < source.size(); tried++) {
      int candidate = (int) (((long) index + tried) % source.size());
      Image image = readOrNote(candidate);
      if (image != null) {
        return new Found(candidate, image);
      }
    }
    throw new UncheckedIOException(
        new IOException(
            String.format(
                Locale.ROOT, "no image of %s can be read: %s", source.name(), skipped.summary())));
  }

  private Image readOrNote(int index) {
    if (unreadable.get(index) != 0) {
      return null;
    }
    try {
      return source.read(index, sufficientSide);
    } catch (UnreadableImageException e) {
      unreadable.set(index, 1);
      skipped.add(e.image(), e.reason());
      return null;
    }
  }
}
