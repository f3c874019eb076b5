package org.swav4j.model.plan;

import java.util.Arrays;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseReduceOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.RandomOp;
import org.nd4j.linalg.api.ops.ScalarOp;

/**
 * An op of ND4J with its arguments, as SameDiff wrote it: what an {@link OpType#ND4J} op runs. Its
 * inputs and outputs are the plan's; the arrays, if any, of {@code function} mean nothing.
 *
 * @param function either a {@link DynamicCustomOp} or one of ND4J's older ops, whose arguments are
 *     fields
 */
public record NativeOp(DifferentialFunction function) {
  /** ND4J's name for it. */
  public String name() {
    return function.opName();
  }

  /** Integer arguments, in ND4J's order; none for the older ops. */
  public long[] integers() {
    return function instanceof DynamicCustomOp op ? op.iArgs() : new long[0];
  }

  /** Real arguments, in ND4J's order; none for the older ops. */
  public double[] reals() {
    return function instanceof DynamicCustomOp op ? op.tArgs() : new double[0];
  }

  /** Boolean arguments, in ND4J's order; none for the older ops. */
  public boolean[] booleans() {
    return function instanceof DynamicCustomOp op ? op.bArgs() : new boolean[0];
  }

  /** The number that each element is combined with; NaN if the op has none. */
  public double scalar() {
    INDArray scalar = function instanceof ScalarOp op ? op.scalar() : null;
    return scalar == null ? Double.NaN : scalar.getDouble(0);
  }

  /** Whether it reduces exactly these dimensions, given in order and from 0. */
  public boolean reduces(boolean keepingThem, int... dimensions) {
    if (function instanceof BaseReduceOp op) {
      return op.isKeepDims() == keepingThem && Arrays.equals(op.getDimensions(), dimensions);
    }
    boolean keeps = booleans().length > 0 && booleans()[0];
    return keeps == keepingThem
        && Arrays.equals(integers(), Arrays.stream(dimensions).asLongStream().toArray());
  }

  /** Whether it reduces a whole array to a scalar. */
  public boolean reducesAll() {
    if (function instanceof BaseReduceOp op) {
      int[] d = op.getDimensions();
      return !op.isKeepDims()
          && (d == null || d.length == 0 || (d.length == 1 && d[0] == Integer.MAX_VALUE));
    }
    return integers().length == 0 && !(booleans().length > 0 && booleans()[0]);
  }

  /** Whether it gives other numbers each time. */
  public boolean isRandom() {
    return function instanceof RandomOp
        || name().startsWith("random")
        || name().startsWith("dropout");
  }
}
