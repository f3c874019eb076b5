package org.swav4j.sinkhorn;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.pointers.PagedPointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A matrix of floats or doubles in host memory, read and written row by row from any thread.
 *
 * <p>Rows are copied to and from Java arrays in bulk: a row fits the first-level cache, where the
 * arithmetic reads it anyway, and loops over Java arrays are those that HotSpot vectorises.
 */
final class HostMatrix {
  /** Arrays that take turns, such as the scores of each crop, are not wrapped anew. */
  private static final int REMEMBERED = 4;

  private record Memory(long address, int length, FloatBuffer floats, DoubleBuffer doubles) {
    static Memory at(long address, int length, boolean isFloat) {
      PagedPointer start = new PagedPointer(address);
      return new Memory(
          address,
          length,
          isFloat ? new FloatPointer(start).capacity(length).asBuffer() : null,
          isFloat ? null : new DoublePointer(start).capacity(length).asBuffer());
    }
  }

  private final Memory[] remembered = new Memory[REMEMBERED];
  private int oldest;
  private FloatBuffer floats;
  private DoubleBuffer doubles;
  private int rows;
  private int columns;
  private int stride;

  /**
   * Whether this back end keeps arrays on the host, and a buffer can span this one once compact.
   */
  static boolean canHold(INDArray array) {
    DataType type = array.dataType();
    return (type == DataType.FLOAT || type == DataType.DOUBLE)
        && array.length() * type.width() <= Integer.MAX_VALUE
        && Nd4j.getExecutioner().type() == OpExecutioner.ExecutionerType.NATIVE_CPU;
  }

  /** Whether, moreover, it can be used where it is: every row in one piece, in order. */
  static boolean holds(INDArray array) {
    if (!canHold(array)) {
      return false;
    }
    long step = array.rows() == 1 ? array.columns() : array.stride(0);
    long span = (array.rows() - 1) * step + array.columns();
    return (array.columns() == 1 || array.stride(1) == 1)
        && step >= 0
        && span * array.dataType().width() <= Integer.MAX_VALUE;
  }

  /** Points at an array; allocates nothing if it was one of the last four. */
  void wrap(INDArray array) {
    rows = array.rows();
    columns = array.columns();
    stride = rows == 1 ? columns : (int) array.stride(0);
    int span = (rows - 1) * stride + columns;
    boolean isFloat = array.dataType() == DataType.FLOAT;
    long at = array.data().pointer().address() + array.offset() * array.dataType().width();
    Memory memory = remember(at, span, isFloat);
    floats = memory.floats;
    doubles = memory.doubles;
  }

  private Memory remember(long address, int length, boolean isFloat) {
    for (Memory known : remembered) {
      if (known != null
          && known.address == address
          && known.length == length
          && isFloat == (known.floats != null)) {
        return known;
      }
    }
    Memory memory = Memory.at(address, length, isFloat);
    remembered[oldest] = memory;
    oldest = (oldest + 1) % REMEMBERED;
    return memory;
  }

  int rows() {
    return rows;
  }

  int columns() {
    return columns;
  }

  boolean isFloat() {
    return floats != null;
  }

  /** Copies a row of a float matrix. */
  void read(int row, float[] into) {
    floats.get(row * stride, into, 0, columns);
  }

  /** Overwrites a row of a float matrix. */
  void write(int row, float[] from) {
    floats.put(row * stride, from, 0, columns);
  }

  /** Copies a row of either type. */
  void read(int row, double[] into) {
    if (doubles != null) {
      doubles.get(row * stride, into, 0, columns);
      return;
    }
    int start = row * stride;
    for (int k = 0; k < columns; k++) {
      into[k] = floats.get(start + k);
    }
  }

  /** Overwrites a row of either type. */
  void write(int row, double[] from) {
    if (doubles != null) {
      doubles.put(row * stride, from, 0, columns);
      return;
    }
    int start = row * stride;
    for (int k = 0; k < columns; k++) {
      floats.put(start + k, (float) from[k]);
    }
  }
}
