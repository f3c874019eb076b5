package org.swav4j.model.engine.onednn;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_stream;
import org.swav4j.model.plan.Op;

/**
 * One thing an execution runs: first described with its tensors, then bound to memory, then run.
 */
abstract class Step {
  private final Op op;
  private final List<Tensor> tensors = new ArrayList<>();

  Step(Op op) {
    this.op = op;
  }

  /** The op it belongs to. */
  final Op op() {
    return op;
  }

  /** All it reads or writes. */
  final List<Tensor> tensors() {
    return tensors;
  }

  final void touches(Tensor tensor) {
    tensors.add(tensor);
  }

  /** The implementation and the layouts, for people. */
  abstract String describe();

  /** Tells it where the arena is; once, before the first run. */
  abstract void bind(long arena, dnnl_stream stream, Resources resources);

  abstract void run();
}
