package org.swav4j.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A source in which readable images, drawn at random, stand in for those that can't be read. An
 * image found unreadable is noted once and not tried again. Thread-safe.
 */
final class ReadableImages {
  /** In the place of a view, of which no crop and no order has this number. */
  private static final long STAND_IN = -2;

  /** Draws before all images are tried in turn: few are readable then, or none. */
  private static final int DRAWS = 100;

  /** An image and its index in the source. */
  record Found(int index, Image image) {}

  private final ImageSource source;
  private final int sufficientSide;
  private final long seed;
  private final AtomicIntegerArray unreadable;
  private final SkippedImages skipped = new SkippedImages();

  /**
   * @param sufficientSide shorter side in pixels from which a larger image brings the crops nothing
   * @param seed of the draws
   */
  ReadableImages(ImageSource source, int sufficientSide, long seed) {
    this.source = source;
    this.sufficientSide = sufficientSide;
    this.seed = seed;
    this.unreadable = new AtomicIntegerArray(source.size());
  }

  SkippedImages skipped() {
    return skipped;
  }

  /**
   * The image asked for, or one drawn from those that can be read: a function of (seed, epoch,
   * index) and of which can be read, so any number of workers gets the same.
   *
   * @throws UncheckedIOException if the source has no readable image
   */
  Found at(int epoch, int index) {
    Image due = readOrNote(index);
    return due != null ? new Found(index, due) : standIn(epoch, index);
  }

  private Found standIn(int epoch, int index) {
    CounterRandom random = new CounterRandom(seed, epoch, index, STAND_IN);
    int candidate = index;
    for (int drawn = 0; drawn < DRAWS; drawn++) {
      candidate = random.nextInt(source.size());
      Image image = readOrNote(candidate);
      if (image != null) {
        return new Found(candidate, image);
      }
    }
    for (int tried = 0; tried < source.size(); tried++) {
      candidate = candidate + 1 < source.size() ? candidate + 1 : 0;
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
      Image image = source.read(index, sufficientSide);
      if (image.remark().isPresent()) {
        skipped.remark(source.describe(index), image);
      }
      return image;
    } catch (UnreadableImageException e) {
      // Noted first: who finds it marked counts on its being among those skipped.
      skipped.add(e.image(), e.reason());
      unreadable.set(index, 1);
      return null;
    }
  }
}
