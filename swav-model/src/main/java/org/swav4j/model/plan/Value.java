package org.swav4j.model.plan;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One array of a plan: what it is called, its type and shape, and where it comes from. Identity is
 * by object; two values may not share a name within a plan. Images are {@code [N, C, H, W]},
 * convolution weights {@code [kH, kW, in, out]}, whatever layout an engine keeps them in.
 */
public final class Value {
  /** Where a value comes from. */
  public enum Kind {
    /** Filled by the caller before a run. */
    INPUT,
    /** A live array owned by the caller, read anew at each run. */
    PARAMETER,
    /** Known when the plan is made. */
    CONSTANT,
    /** Computed by an op of the plan. */
    RESULT
  }

  private final String name;
  private final Kind kind;
  private final DataType type;
  private final long[] shape;
  private final INDArray array;

  private Value(String name, Kind kind, DataType type, long[] shape, INDArray array) {
    this.name = name;
    this.kind = kind;
    this.type = type;
    this.shape = shape.clone();
    this.array = array;
  }

  /** A value the caller fills. */
  public static Value input(String name, DataType type, long... shape) {
    return new Value(name, Kind.INPUT, type, shape, null);
  }

  /** A value an op computes. */
  public static Value result(String name, DataType type, long... shape) {
    return new Value(name, Kind.RESULT, type, shape, null);
  }

  /** A live array. */
  public static Value parameter(String name, INDArray array) {
    return new Value(name, Kind.PARAMETER, array.dataType(), array.shape(), array);
  }

  /** An array that never changes. */
  public static Value constant(String name, INDArray array) {
    return new Value(name, Kind.CONSTANT, array.dataType(), array.shape(), array);
  }

  public String name() {
    return name;
  }

  public Kind kind() {
    return kind;
  }

  public DataType type() {
    return type;
  }

  /** A copy of the shape. */
  public long[] shape() {
    return shape.clone();
  }

  public int rank() {
    return shape.length;
  }

  public long size(int dimension) {
    return shape[dimension];
  }

  /** Number of elements; 1 for a scalar. */
  public long length() {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    return n;
  }

  /** Bytes of the dense array. */
  public long bytes() {
    return length() * type.width();
  }

  /** The array of a parameter or constant, else null. */
  public INDArray array() {
    return array;
  }

  /** Whether it is a constant with one element, this number as its type has it. */
  public boolean isNumber(double number) {
    return kind == Kind.CONSTANT
        && length() == 1
        && array.getDouble(0) == (type == DataType.FLOAT ? (float) number : number);
  }

  public boolean sameShape(Value other) {
    return Arrays.equals(shape, other.shape);
  }

  @Override
  public String toString() {
    return name + ":" + type + Arrays.toString(shape);
  }
}
