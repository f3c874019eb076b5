package org.swav4j.data;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Keeps the images of another source in memory, as decoded, until a budget is used up; what comes
 * after that is read anew each time.
 *
 * <p>Nothing is evicted: an epoch meets every image once, in random order, and then no policy does
 * better than keeping what is there. An image read for two sizes, as crops and evaluation may, is
 * kept for both. Thread-safe where the other source is.
 */
final class CachedSource implements ImageSource {
  /** Half a gibibyte, or a quarter of the heap where that is less. */
  static final long DEFAULT_BUDGET = Math.min(512L << 20, Runtime.getRuntime().maxMemory() / 4);

  private static final long ENTRY_BYTES = 64;

  /**
   * What a read gave, and what was asked for: a decoder may reduce an image for one size and not
   * for another, and a read must give the same pixels whatever was read before it.
   */
  private record Entry(Image image, int atLeast, Entry next) {
    static Image find(Entry first, int atLeast) {
      for (Entry e = first; e != null; e = e.next) {
        if (e.atLeast == atLeast) {
          return e.image;
        }
      }
      return null;
    }

    /** An image of the list with the same pixels, which are then kept once; else the image. */
    static Image shared(Entry first, Image image) {
      for (Entry e = first; e != null; e = e.next) {
        if (e.image.width() == image.width()
            && e.image.height() == image.height()
            && Arrays.equals(e.image.pixels(), image.pixels())) {
          return e.image;
        }
      }
      return image;
    }
  }

  private final ImageSource source;
  private final AtomicReferenceArray<Entry> entries;
  private final AtomicLong left;

  /**
   * @param budget bytes of pixels to keep; images over it are not kept
   */
  CachedSource(ImageSource source, long budget) {
    this.source = source;
    this.entries = new AtomicReferenceArray<>(source.size());
    this.left = new AtomicLong(budget);
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    Entry before = entries.get(index);
    Image kept = Entry.find(before, atLeast);
    if (kept != null) {
      return kept;
    }
    Image read = source.read(index, atLeast);
    Image image = Entry.shared(before, read);
    long more = ENTRY_BYTES + (image == read ? read.pixels().length : 0);
    if (left.addAndGet(-more) < 0
        || !entries.compareAndSet(index, before, new Entry(image, atLeast, before))) {
      left.addAndGet(more);
    }
    return image;
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public int size() {
    return source.size();
  }

  @Override
  public int channels() {
    return source.channels();
  }

  @Override
  public int label(int index) {
    return source.label(index);
  }

  @Override
  public List<String> classes() {
    return source.classes();
  }

  @Override
  public String describe(int index) {
    return source.describe(index);
  }

  @Override
  public Optional<String> relativePath(int index) {
    return source.relativePath(index);
  }

  @Override
  public String digest() {
    return source.digest();
  }
}
