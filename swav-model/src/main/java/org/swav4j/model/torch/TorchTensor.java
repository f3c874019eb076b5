package org.swav4j.model.torch;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.indexer.Bfloat16Indexer;
import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A tensor of a {@link TorchFile}: a view of a storage, whose numbers are read when asked for. As
 * long as its file is open.
 */
public final class TorchTensor {
  private final TorchFile file;
  private final Storage storage;
  private final long offset;
  private final long[] shape;
  private final long[] strides;

  /** Where the numbers of one or several tensors lie. */
  record Storage(StorageType type, String key, long start, long length) {}

  TorchTensor(TorchFile file, Storage storage, long offset, long[] shape, long[] strides) {
    this.file = file;
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /** PyTorch's name of the type, such as {@code Half}. */
  public String type() {
    return storage.type().label();
  }

  /** Whether the numbers are of a floating-point type that {@link #read} knows. */
  public boolean isFloatingPoint() {
    return storage.type().floating();
  }

  /** The sizes; none for a scalar. */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Reads the numbers.
   *
   * @return a new dense array in c order: DOUBLE of Double, FLOAT of Float, Half and BFloat16
   * @throws IOException if they can't be read, or are of another type
   */
  public INDArray read() throws IOException {
    StorageType type = storage.type();
    if (!type.floating()) {
      throw new IOException("a tensor of type " + type.label() + " is asked for, expected Float");
    }
    int n = Math.toIntExact(elements(shape));
    long span = n == 0 ? 0 : last(shape, strides) + 1;
    if (span > TorchFile.LARGEST_SPAN) {
      throw new IOException("a tensor of it is spread over " + span + " numbers of a storage");
    }
    ByteBuffer bytes = file.bytes(storage, offset, (int) span);
    if (type == StorageType.DOUBLE) {
      double[] values = new double[n];
      for (int i = 0; i < n; i++) {
        values[i] = bytes.getDouble(8 * place(i));
      }
      return Nd4j.createFromArray(values).reshape('c', shape);
    }
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      int at = type.width() * place(i);
      values[i] =
          switch (type) {
            case HALF -> HalfIndexer.toFloat(bytes.getShort(at));
            case BFLOAT16 -> Bfloat16Indexer.toFloat(bytes.getShort(at));
            default -> bytes.getFloat(at);
          };
    }
    return Nd4j.createFromArray(values).reshape('c', shape);
  }

  /** Where element i in row-major order lies, from the first one on. */
  private int place(int i) {
    long at = 0;
    int rest = i;
    for (int d = shape.length - 1; d >= 0; d--) {
      int size = (int) shape[d];
      at += rest % size * strides[d];
      rest /= size;
    }
    return (int) at;
  }

  /** How many numbers there are. */
  static long elements(long[] shape) {
    long elements = 1;
    for (long s : shape) {
      elements = Math.multiplyExact(elements, s);
    }
    return elements;
  }

  /** The furthest element's distance from the first. */
  static long last(long[] shape, long[] strides) {
    long last = 0;
    for (int d = 0; d < shape.length; d++) {
      last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[d] - 1), strides[d]));
    }
    return last;
  }
}
