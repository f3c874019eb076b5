package org.swav4j.data;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Keeps the images of another source in memory, as decoded, until a budget is used up; what comes
 * after that is read anew each time.
 *
 * <p>Nothing is evicted: an epoch meets every image once, in random order, and then no policy does
 * better than keeping what is there. Thread-safe where the other source is.
 */
final class CachedSource implements ImageSource {
  /** Half a gibibyte, or a quarter of the heap where that is less. */
  static final long DEFAULT_BUDGET = Math.min(512L << 20, Runtime.getRuntime().maxMemory() / 4);

  private record Entry(Image image, int atLeast) {

    /** An image read for less may be smaller than needed, unless it happens to be large enough. */
    boolean serves(int wanted) {
      return wanted <= atLeast || wanted <= image.shorterSide();
    }

    long bytes() {
      return 64L + image.pixels().length;
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
    Entry entry = entries.get(index);
    if (entry != null && entry.serves(atLeast)) {
      return entry.image();
    }
    Entry fresh = new Entry(source.read(index, atLeast), atLeast);
    long more = fresh.bytes() - (entry == null ? 0 : entry.bytes());
    if (left.addAndGet(-more) < 0 || !entries.compareAndSet(index, entry, fresh)) {
      left.addAndGet(more);
    }
    return fresh.image();
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
}
