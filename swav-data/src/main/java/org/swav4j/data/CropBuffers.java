package org.swav4j.data;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J arrays that Java code fills through their host memory. */
final class CropBuffers {
  private CropBuffers() {}

  /** A float array that belongs to no workspace, whatever is open on this thread. */
  static INDArray allocate(long... shape) {
    try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      return Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    }
  }

  /**
   * A view of the array's host memory, valid as long as the array.
   *
   * @throws IllegalArgumentException if the array isn't float, contiguous and row-major
   */
  static FloatBuffer view(INDArray array) {
    if (array.dataType() != DataType.FLOAT
        || array.ordering() != 'c'
        || array.isView()
        || array.length() > Integer.MAX_VALUE / Float.BYTES) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "array of %s %s (order %s%s), expected a whole row-major float array below 2 GiB:"
                  + " allocate it with Nd4j.create",
              array.dataType(),
              Arrays.toString(array.shape()),
              array.ordering(),
              array.isView() ? ", a view" : ""));
    }
    Pointer pointer = array.data().addressPointer();
    return new Pointer(pointer)
        .capacity(array.length() * Float.BYTES)
        .asByteBuffer()
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  /** Tells a back end with its own device memory that the host's copy is the newest. */
  static void written(INDArray array) {
    Nd4j.getAffinityManager().tagLocation(array, AffinityManager.Location.HOST);
  }
}
