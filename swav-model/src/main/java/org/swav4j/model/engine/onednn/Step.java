package org.swav4j.model.engine.onednn;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_stream;
import org.swav4j.model.engine.Execution.Work;
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

  /** What it is called: {@code batch norm gradient}. */
  abstract String kernel();

  /** What it does for its op. */
  abstract Work work();

  /** Which of oneDNN's implementations it is; empty for Java. */
  String implementation() {
    return "";
  }

  /** Of the operands, in oneDNN's words. */
  List<String> layouts() {
    return List.of();
  }

  /** Tells it where the arena is; once, before the first run. */
  abstract void bind(long arena, dnnl_stream stream, Resources resources);

  abstract void run();
}
