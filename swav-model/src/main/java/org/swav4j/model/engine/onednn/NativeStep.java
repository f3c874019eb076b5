package org.swav4j.model.engine.onednn;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Execution.Work;
import org.swav4j.model.engine.NativeCall;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/** An op of ND4J over tensors in their {@linkplain Layout#plain plain layout}. */
final class NativeStep extends Step {
  /**
   * An input or output.
   *
   * @param tensor where it lies; null for a value with an array of its own
   */
  record Operand(Value value, Tensor tensor) {
    INDArray array(long arena) {
      if (tensor == null) {
        return value.array();
      }
      Pointer memory = Dnnl.at(tensor.buffer().address(arena) + tensor.offset());
      memory.capacity(value.bytes());
      long[] shape = value.shape();
      return Nd4j.create(
          Nd4j.createBuffer(memory, value.length(), value.type()),
          shape,
          Nd4j.getStrides(shape, 'c'),
          0,
          'c',
          value.type());
    }
  }

  private final List<Operand> in;
  private final List<Operand> out;
  private NativeCall call;

  NativeStep(Op op, List<Operand> in, List<Operand> out) {
    super(op);
    this.in = in;
    this.out = out;
    in.stream().filter(o -> o.tensor != null).forEach(o -> touches(o.tensor));
    out.forEach(o -> touches(o.tensor));
  }

  @Override
  String kernel() {
    return op().label();
  }

  @Override
  Work work() {
    return Work.ARITHMETIC;
  }

  @Override
  String implementation() {
    return "nd4j";
  }

  @Override
  void bind(long arena, dnnl_stream stream, Resources resources) {
    List<INDArray> inputs = new ArrayList<>();
    in.forEach(o -> inputs.add(o.array(arena)));
    List<INDArray> outputs = new ArrayList<>();
    out.forEach(o -> outputs.add(o.array(arena)));
    call = new NativeCall(op().arguments().nativeOp(), inputs, outputs);
  }

  @Override
  void run() {
    call.run();
  }
}
