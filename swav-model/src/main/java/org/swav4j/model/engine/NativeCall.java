package org.swav4j.model.engine;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.plan.NativeOp;

/**
 * An op of ND4J bound to arrays: everything it needs is made once, and {@link #run} computes the
 * outputs anew from what the inputs then hold. Not for use by several threads.
 */
public final class NativeCall implements Runnable {
  private final NativeOp op;
  private final OpContext context;

  /**
   * Binds an op.
   *
   * @param op what to run
   * @param inputs what it reads, in SameDiff's order
   * @param outputs what it writes, of the shapes that {@link #shapes} tells
   */
  public NativeCall(NativeOp op, List<INDArray> inputs, List<INDArray> outputs) {
    this.op = op;
    context = context(op, inputs);
    for (int i = 0; i < outputs.size(); i++) {
      context.setOutputArray(i, outputs.get(i));
    }
  }

  /**
   * Shapes and types of an op's outputs, by its own shape function.
   *
   * @param inputs of the right shapes and types; their elements are looked at only where a shape
   *     depends on them, such as the second input of {@code reshape}
   */
  public static List<LongShapeDescriptor> shapes(NativeOp op, List<INDArray> inputs) {
    try (OpContext context = context(op, inputs)) {
      return op.function() instanceof CustomOp custom
          ? custom.calculateOutputShape(context)
          : ((BaseOp) op.function()).calculateOutputShape(context);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("closing the context of " + op.name(), e);
    }
  }

  private static OpContext context(NativeOp op, List<INDArray> inputs) {
    OpContext context = Nd4j.getExecutioner().buildContext();
    if (op.function() instanceof DynamicCustomOp custom) {
      context.setArgs(
          inputs.toArray(INDArray[]::new),
          custom.iArgs(),
          custom.dArgs(),
          custom.tArgs(),
          custom.bArgs());
    } else {
      for (int i = 0; i < inputs.size(); i++) {
        context.setInputArray(i, inputs.get(i));
      }
    }
    return context;
  }

  @Override
  public void run() {
    if (op.function() instanceof CustomOp custom) {
      Nd4j.exec(custom, context);
    } else {
      Nd4j.exec((BaseOp) op.function(), context);
    }
  }
}
