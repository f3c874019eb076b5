package org.swav4j.model.engine.onednn;

import java.util.ArrayList;
import java.util.List;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/** What oneDNN has no primitive for: run by ND4J, on dense arrays over the same memory. */
final class NativeOps {
  private final Lowering lowering;

  NativeOps(Lowering lowering) {
    this.lowering = lowering;
  }

  void lower(Op op) {
    List<NativeStep.Operand> in = new ArrayList<>();
    for (Value v : op.inputs()) {
      in.add(
          v.array() != null
              ? new NativeStep.Operand(v, null)
              : new NativeStep.Operand(v, lowering.read(v, Layout.plain(v))));
    }
    List<NativeStep.Operand> out = new ArrayList<>();
    for (Value v : op.outputs()) {
      out.add(new NativeStep.Operand(v, lowering.allocate(v, Layout.plain(v))));
    }
    lowering.emit(new NativeStep(op, in, out));
    out.forEach(o -> lowering.put(o.value(), o.tensor()));
  }
}
