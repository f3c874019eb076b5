package org.swav4j.data;

import java.util.Locale;

/**
 * How many images of a source can't be read, told from a random sample of them before any is used.
 *
 * @param tried images that were read
 * @param broken those of them that can't be
 * @param of images that there are
 * @param examples one line that names a few and says why
 */
public record BrokenShare(int tried, int broken, int of, String examples) {
  /** A share of one per cent shows in so many. */
  private static final int SAMPLE = 200;

  /** Images that are tried however long it takes. */
  private static final int LEAST = 50;

  private static final long MOST_NANOS = 3_000_000_000L;

  /** In the place of an epoch, which is never negative: no crop draws the same numbers. */
  private static final long STREAM = -3;

  /**
   * Tries 200 images, or all where there are fewer; fewer too where that takes above three seconds.
   *
   * @param seed of the sample
   */
  public static BrokenShare of(ImageSource source, long seed) {
    SkippedImages skipped = new SkippedImages();
    int wanted = Math.min(SAMPLE, source.size());
    int[] order = EpochOrder.of(source.size(), seed, STREAM);
    long start = System.nanoTime();
    int tried = 0;
    while (tried < wanted && (tried < LEAST || System.nanoTime() - start < MOST_NANOS)) {
      try {
        source.read(order[tried], 1);
      } catch (UnreadableImageException e) {
        skipped.add(e.image(), e.reason());
      }
      tried++;
    }
    return new BrokenShare(tried, skipped.count(), source.size(), skipped.summary());
  }

  /** Broken ones of those tried, 0 to 1. */
  public double share() {
    return tried == 0 ? 0 : (double) broken / tried;
  }

  /** {@code 12 of 36 images (33 %)}, {@code about 2.5 % of 100000 images (5 of 200 tried)}. */
  @Override
  public String toString() {
    double percent = 100 * share();
    return tried == of
        ? String.format(Locale.ROOT, "%d of %d images (%.3g %%)", broken, of, percent)
        : String.format(
            Locale.ROOT, "about %.3g %% of %d images (%d of %d tried)", percent, of, broken, tried);
  }
}
