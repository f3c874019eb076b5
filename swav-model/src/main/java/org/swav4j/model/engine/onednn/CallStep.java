package org.swav4j.model.engine.onednn;

import org.bytedeco.dnnl.dnnl_stream;
import org.swav4j.model.engine.Execution.Work;
import org.swav4j.model.plan.Op;

/** Tells a listener that a value is final. What was run before it is done: streams don't queue. */
final class CallStep extends Step {
  private final Runnable call;

  CallStep(Op op) {
    super(op);
    this.call = op.arguments().call();
  }

  @Override
  String kernel() {
    return "call";
  }

  @Override
  Work work() {
    return Work.MEMORY;
  }

  @Override
  void bind(long arena, dnnl_stream stream, Resources resources) {}

  @Override
  void run() {
    call.run();
  }
}
