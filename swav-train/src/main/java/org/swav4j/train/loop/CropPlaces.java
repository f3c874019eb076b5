package org.swav4j.train.loop;

import java.util.List;
import java.util.function.IntFunction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.CropSpec;

/**
 * Where the crops of a loaded batch go among those of a step: the batch is one of its parts, and
 * neighbouring groups of one size lie side by side in one group of the network.
 */
final class CropPlaces {
  private final List<CropSpec> groups;
  private final int parts;

  /** For each group that is loaded, the network's group and the first of its crops there. */
  private final int[] into;

  private final int[] first;

  /**
   * @param groups as they are loaded
   * @param parts batches in a step
   */
  CropPlaces(List<CropSpec> groups, int parts) {
    this.groups = List.copyOf(groups);
    this.parts = parts;
    into = new int[groups.size()];
    first = new int[groups.size()];
    for (int g = 1; g < into.length; g++) {
      boolean sameSize = groups.get(g).size() == groups.get(g - 1).size();
      into[g] = sameSize ? into[g - 1] : into[g - 1] + 1;
      first[g] = sameSize ? first[g - 1] + groups.get(g - 1).count() : 0;
    }
  }

  /** Batches in a step. */
  int parts() {
    return parts;
  }

  /** Groups of a loaded batch. */
  int groups() {
    return into.length;
  }

  /** Shape of a group's array in a loaded batch. */
  long[] shape(int group, MethodStep step) {
    long[] shape = step.crops(into[group]).shape().clone();
    shape[0] = (long) groups.get(group).count() * step.views().batch() / parts;
    return shape;
  }

  /**
   * Copies a batch.
   *
   * @param crops the array of each group, of {@link #shape}
   * @param part which of the step's it is
   */
  void copy(IntFunction<INDArray> crops, int part, MethodStep step) {
    long batch = step.views().batch();
    long size = batch / parts;
    for (int g = 0; g < into.length; g++) {
      INDArray from = crops.apply(g);
      INDArray to = step.crops(into[g]);
      if (from.size(0) == to.size(0)) {
        to.assign(from);
        continue;
      }
      for (int v = 0; v < groups.get(g).count(); v++) {
        rows(to, (first[g] + v) * batch + part * size, size).assign(rows(from, v * size, size));
      }
    }
  }

  private static INDArray rows(INDArray array, long start, long count) {
    return array.get(NDArrayIndex.interval(start, start + count));
  }
}
