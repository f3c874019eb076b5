package org.swav4j.model.engine.onednn;

import java.util.List;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.Pointer;
import org.swav4j.model.engine.Execution.Work;
import org.swav4j.model.plan.Op;

/** Clears a tensor that sums are to be added to. */
final class ZeroStep extends Step {
  private final Tensor tensor;
  private Pointer bound;

  ZeroStep(Op op, Tensor tensor) {
    super(op);
    this.tensor = tensor;
    touches(tensor);
  }

  @Override
  String kernel() {
    return "zero";
  }

  @Override
  Work work() {
    return Work.MEMORY;
  }

  @Override
  List<String> layouts() {
    return List.of(tensor.layout().toString());
  }

  @Override
  void bind(long arena, dnnl_stream stream, Resources resources) {
    bound = Dnnl.at(tensor.buffer().address(arena) + tensor.offset());
  }

  @Override
  void run() {
    Pointer.memset(bound, 0, tensor.layout().bytes());
  }
}
