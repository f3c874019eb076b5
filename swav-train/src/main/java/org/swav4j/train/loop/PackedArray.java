package org.swav4j.train.loop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.host.HostTensor;

/** An array and its place in a vector that is summed over workers. For one thread at a time. */
final class PackedArray {
  private final INDArray array;
  private final long begin;
  private final INDArray part;
  private final HostTensor hostArray = new HostTensor();
  private final HostTensor hostPart = new HostTensor();

  private PackedArray(INDArray array, INDArray vector, long begin) {
    this.array = array;
    this.begin = begin;
    this.part =
        vector
            .get(NDArrayIndex.interval(begin, begin + array.length()))
            .reshape('c', array.shape());
  }

  /** Arrays one behind the other, from an element of the vector on. */
  static List<PackedArray> sideBySide(Collection<INDArray> arrays, INDArray vector, long from) {
    List<PackedArray> packed = new ArrayList<>();
    long at = from;
    for (INDArray array : arrays) {
      packed.add(new PackedArray(array, vector, at));
      at += array.length();
    }
    return packed;
  }

  /** The first of its elements in the vector. */
  long begin() {
    return begin;
  }

  /** The one behind its last. */
  long end() {
    return begin + array.length();
  }

  /** Copies the array to its place. */
  void pack() {
    copy(array, hostArray, part, hostPart);
  }

  /** Copies what is in its place to the array. */
  void unpack() {
    copy(part, hostPart, array, hostArray);
  }

  private static void copy(INDArray from, HostTensor source, INDArray to, HostTensor target) {
    if (!HostTensor.supports(from)
        || !HostTensor.supports(to)
        || !HostTensor.sameLayout(from, to)) {
      to.assign(from);
      return;
    }
    source.bind(from);
    target.bind(to);
    if (source.isFloat()) {
      target.floats().put(0, source.floats(), 0, source.length());
    } else {
      target.doubles().put(0, source.doubles(), 0, source.length());
    }
  }
}
