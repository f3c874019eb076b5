package org.swav4j.train.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The numbers of one dense array as a {@code java.nio} buffer over the array's own memory: nothing
 * is copied, a write is seen by the array. The compiler vectorises simple loops over such buffers,
 * so they run at memory speed, and binding the same array again allocates nothing.
 *
 * <p>Not thread-safe while binding; a bound tensor may be read by several threads.
 */
public final class HostTensor {
  private INDArray array;
  private DataBuffer data;
  private FloatBuffer floats;
  private DoubleBuffer doubles;
  private FloatBuffer rounded;
  private int length;

  /**
   * Whether the loops of this package can run over an array: float or double, without gaps, at most
   * 2 GiB, in host memory.
   */
  public static boolean supports(INDArray array) {
    DataType type = array.dataType();
    return (type == DataType.FLOAT || type == DataType.DOUBLE)
        && array.length() * type.width() <= Integer.MAX_VALUE
        && !array.isEmpty()
        && isDense(array)
        && Nd4j.getEnvironment().isCPU();
  }

  /** Whether two dense arrays hold corresponding elements at corresponding places in memory. */
  public static boolean sameLayout(INDArray a, INDArray b) {
    if (a.dataType() != b.dataType() || a.rank() != b.rank()) {
      return false;
    }
    for (int d = 0; d < a.rank(); d++) {
      if (a.size(d) != b.size(d) || (a.size(d) > 1 && a.stride(d) != b.stride(d))) {
        return false;
      }
    }
    return true;
  }

  /** True if the elements fill one stretch of memory, in whatever order of dimensions. */
  private static boolean isDense(INDArray array) {
    long last = 0;
    for (int d = 0; d < array.rank(); d++) {
      if (array.size(d) > 1 && array.stride(d) <= 0) {
        return false;
      }
      last += (array.size(d) - 1) * (array.size(d) > 1 ? array.stride(d) : 0);
    }
    return last + 1 == array.length();
  }

  /**
   * Points this tensor at an array; does nothing if it already does.
   *
   * @throws IllegalArgumentException if {@link #supports} is false for it
   */
  public HostTensor bind(INDArray next) {
    if (next == array && next.data() == data) {
      return this;
    }
    if (!supports(next)) {
      throw new IllegalArgumentException(
          "array "
              + next.shapeInfoToString()
              + " is not a dense float or double array in host memory: pass a dup('c') of it");
    }
    length = (int) next.length();
    int width = next.dataType().width();
    ByteBuffer bytes = memory(next);
    floats = width == Float.BYTES ? bytes.asFloatBuffer() : null;
    doubles = width == Double.BYTES ? bytes.asDoubleBuffer() : null;
    array = next;
    data = next.data();
    return this;
  }

  /**
   * The own memory of an array without gaps, in this machine's order of bytes.
   *
   * @param array of any type, of at most 2 GiB, in host memory
   */
  public static ByteBuffer memory(INDArray array) {
    // A pointer of its own: the limits of the array's must stay as they are.
    return new Pointer(array.data().addressPointer())
        .position(0)
        .capacity(array.length() * array.dataType().width())
        .asByteBuffer()
        .order(ByteOrder.nativeOrder());
  }

  /**
   * The numbers of an array as floats in row-major order, for reading only and until the next call:
   * over its own memory if it is such an array, else a copy. Allocates nothing for a row-major
   * array in host memory that was the last one too.
   */
  public FloatBuffer read(INDArray next) {
    if (!supports(next) || !isRowMajor(next)) {
      return FloatBuffer.wrap(next.castTo(DataType.FLOAT).dup('c').data().asFloat());
    }
    bind(next);
    if (isFloat()) {
      return floats;
    }
    if (rounded == null || rounded.capacity() != length) {
      rounded = FloatBuffer.allocate(length);
    }
    for (int i = 0; i < length; i++) {
      rounded.put(i, (float) doubles.get(i));
    }
    return rounded;
  }

  /**
   * Copies the rows of one matrix into another of the same width and type; for row-major arrays in
   * host memory that these tensors were bound to before, without allocating.
   *
   * @param from {@code [n, D]}, what {@code source} is or gets bound to
   * @param to {@code [m, D]}, what {@code target} is or gets bound to
   * @param row of {@code to} that gets the first row
   */
  public static void copyRows(
      HostTensor source, INDArray from, HostTensor target, INDArray to, long row) {
    if (from.dataType() == to.dataType()
        && supports(from)
        && supports(to)
        && isRowMajor(from)
        && isRowMajor(to)) {
      source.bind(from);
      target.bind(to);
      int at = (int) (row * to.size(1));
      if (source.isFloat()) {
        target.floats.put(at, source.floats, 0, source.length);
      } else {
        target.doubles.put(at, source.doubles, 0, source.length);
      }
    } else {
      to.get(NDArrayIndex.interval(row, row + from.size(0))).assign(from);
    }
  }

  /**
   * Copies columns of one matrix into another of as many rows and the same type; for row-major
   * arrays in host memory that these tensors were bound to before, without allocating.
   *
   * @param from what {@code source} is or gets bound to
   * @param first of the columns
   * @param to what {@code target} is or gets bound to
   * @param place the column of {@code to} that gets the first
   * @param count columns
   */
  public static void copyColumns(
      HostTensor source,
      INDArray from,
      long first,
      HostTensor target,
      INDArray to,
      long place,
      long count) {
    if (from.dataType() != to.dataType()
        || !supports(from)
        || !supports(to)
        || !isRowMajor(from)
        || !isRowMajor(to)) {
      to.get(NDArrayIndex.all(), NDArrayIndex.interval(place, place + count))
          .assign(from.get(NDArrayIndex.all(), NDArrayIndex.interval(first, first + count)));
      return;
    }
    source.bind(from);
    target.bind(to);
    for (long row = 0; row < from.size(0); row++) {
      int at = (int) (row * from.size(1) + first);
      int into = (int) (row * to.size(1) + place);
      if (source.isFloat()) {
        target.floats.put(into, source.floats, at, (int) count);
      } else {
        target.doubles.put(into, source.doubles, at, (int) count);
      }
    }
  }

  private static boolean isRowMajor(INDArray array) {
    long expected = 1;
    for (int d = array.rank() - 1; d >= 0; d--) {
      if (array.size(d) > 1 && array.stride(d) != expected) {
        return false;
      }
      expected *= array.size(d);
    }
    return true;
  }

  /** Whether {@link #floats()} (and not {@link #doubles()}) holds the numbers. */
  public boolean isFloat() {
    return floats != null;
  }

  /** The numbers in memory order; null for a double array. */
  public FloatBuffer floats() {
    return floats;
  }

  /** The numbers in memory order; null for a float array. */
  public DoubleBuffer doubles() {
    return doubles;
  }

  /** How many numbers. */
  public int length() {
    return length;
  }
}
