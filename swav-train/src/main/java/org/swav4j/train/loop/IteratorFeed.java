package org.swav4j.train.loop;

import java.util.Arrays;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.swav4j.data.SkippedImages;
import org.swav4j.train.method.Method;

/**
 * Batches of any ND4J iterator, one features array per crop group. It starts again when it is at
 * its end; batches of another size, such as the last of a pass, are left out.
 */
final class IteratorFeed implements CropFeed {
  private final MultiDataSetIterator iterator;
  private final CropPlaces places;
  private final SkippedImages skipped = new SkippedImages();
  private long waited;

  /**
   * @throws IllegalArgumentException if the method must know which images are in a batch
   */
  IteratorFeed(MultiDataSetIterator iterator, CropPlaces places, Method method) {
    if (method.knowsImages()) {
      throw new IllegalArgumentException(
          method.getClass().getSimpleName()
              + " must know which images are in a batch, and a "
              + iterator.getClass().getSimpleName()
              + " doesn't tell: give it a MultiCropLoader");
    }
    this.iterator = iterator;
    this.places = places;
  }

  @Override
  public Optional<String> inexact() {
    return Optional.of(
        "batches come from "
            + iterator.getClass().getName()
            + ", whose place no checkpoint keeps: a run that is resumed goes on with whatever batches"
            + " it gives then, and not bit for bit");
  }

  /** Whatever the iterator's order, it goes on from where it is. */
  @Override
  public void begin(int epoch, long done) {}

  @Override
  public void next(MethodStep step) {
    for (int part = 0; part < places.parts(); part++) {
      long start = System.nanoTime();
      MultiDataSet batch = whole(step);
      waited += System.nanoTime() - start;
      places.copy(batch::getFeatures, part, step);
    }
  }

  private MultiDataSet whole(MethodStep step) {
    for (int turns = 0; turns < 2; turns++) {
      while (iterator.hasNext()) {
        MultiDataSet batch = iterator.next();
        if (fits(batch, step)) {
          return batch;
        }
      }
      if (!iterator.resetSupported()) {
        throw new TrainingException(
            "the iterator "
                + iterator.getClass().getName()
                + " is at its end and can't be reset, and training goes on: expected one that"
                + " supports reset(), or one with all batches of all epochs");
      }
      iterator.reset();
    }
    throw new TrainingException(
        "the iterator gives no batch of "
            + step.views().batch() / places.parts()
            + " images: are there enough?");
  }

  private boolean fits(MultiDataSet batch, MethodStep step) {
    if (batch.numFeatureArrays() != places.groups()) {
      throw new TrainingException(
          "a batch has "
              + batch.numFeatureArrays()
              + " features arrays, expected "
              + places.groups()
              + ", one per crop group");
    }
    for (int g = 0; g < places.groups(); g++) {
      INDArray crops = batch.getFeatures(g);
      long[] wanted = places.shape(g, step);
      boolean sameImage =
          crops.rank() == 4
              && Arrays.equals(
                  Arrays.copyOfRange(crops.shape(), 1, 4), Arrays.copyOfRange(wanted, 1, 4));
      if (!sameImage) {
        throw new TrainingException(
            "crop group "
                + g
                + " has shape "
                + Arrays.toString(crops.shape())
                + ", expected "
                + Arrays.toString(wanted)
                + ": count·B, channels, side, side");
      }
      if (crops.size(0) != wanted[0]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public long waitedNanos() {
    return waited;
  }

  @Override
  public SkippedImages skipped() {
    return skipped;
  }

  @Override
  public void close() {}
}
