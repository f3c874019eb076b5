package org.swav4j.model;

import java.util.Arrays;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * An array of a whole batch beside that of the part which is being computed. Rows are crop by crop
 * in both: of a part of b images in a batch of B, row {@code v·b + n} is row {@code v·B + p·b + n}
 * of the whole. Copying allocates nothing.
 */
final class PartedArray {
  private final INDArray whole;
  private final INDArray[] ofPart;
  private final INDArray[][] ofWhole;

  /**
   * Makes the whole.
   *
   * @param name for the message
   * @param part {@code [m·b, ...]}, m crops of b images
   * @param batch b
   * @param parts how many there are in a batch
   * @throws IllegalArgumentException if the rows of the part are not some for each image
   */
  PartedArray(String name, INDArray part, int batch, int parts) {
    if (part.rank() < 1 || part.size(0) % batch != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "\"%s\" has shape %s, and a batch in %d parts of %d images is asked for: expected rows"
                  + " for each image, crop by crop, in all that the objective reads and is given",
              name,
              Arrays.toString(part.shape()),
              parts,
              batch));
    }
    int crops = Math.toIntExact(part.size(0) / batch);
    long[] shape = part.shape().clone();
    shape[0] *= parts;
    whole = Nd4j.create(part.dataType(), shape);
    ofPart = new INDArray[crops];
    ofWhole = new INDArray[parts][crops];
    for (int v = 0; v < crops; v++) {
      ofPart[v] = rows(part, (long) v * batch, batch);
      for (int p = 0; p < parts; p++) {
        ofWhole[p][v] = rows(whole, ((long) v * parts + p) * batch, batch);
      }
    }
  }

  private static INDArray rows(INDArray array, long first, int count) {
    return array.get(NDArrayIndex.interval(first, first + count));
  }

  /** The array of the whole batch. */
  INDArray whole() {
    return whole;
  }

  /** Copies a part's rows of the whole to the part. */
  void load(int part) {
    for (int v = 0; v < ofPart.length; v++) {
      ofPart[v].assign(ofWhole[part][v]);
    }
  }

  /** Copies the part to its rows of the whole. */
  void store(int part) {
    for (int v = 0; v < ofPart.length; v++) {
      ofWhole[part][v].assign(ofPart[v]);
    }
  }

  /** Of the whole. */
  long bytes() {
    return whole.length() * whole.dataType().width();
  }

  void close() {
    if (whole.closeable()) {
      whole.close();
    }
  }
}
