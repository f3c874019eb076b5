package org.swav4j.train.loop;

import java.util.Iterator;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.SkippedImages;

/**
 * Batches of our own loader. Its epochs are functions of (seed, epoch), so a run that goes on gets
 * the very batches it would have had, and a step in parts the images and crops of one at once.
 */
final class LoaderFeed implements CropFeed {
  private final MultiCropLoader loader;
  private final CropPlaces places;
  private final boolean owned;
  private Iterator<MultiCropBatch> batches;

  /**
   * @param owned whether the loader ends with this feed
   */
  LoaderFeed(MultiCropLoader loader, CropPlaces places, boolean owned) {
    this.loader = loader;
    this.places = places;
    this.owned = owned;
  }

  @Override
  public void begin(int epoch, long done) {
    batches = loader.epoch(epoch, Math.toIntExact(done * places.parts())).iterator();
  }

  @Override
  public void next(MethodStep step) {
    for (int part = 0; part < places.parts(); part++) {
      try (MultiCropBatch batch = batches.next()) {
        places.copy(batch::crops, part, step);
        System.arraycopy(batch.indices(), 0, step.images(), part * batch.size(), batch.size());
      }
    }
  }

  @Override
  public long waitedNanos() {
    return loader.waitedNanos();
  }

  @Override
  public SkippedImages skipped() {
    return loader.skipped();
  }

  @Override
  public void close() {
    if (owned) {
      loader.close();
    }
  }
}
