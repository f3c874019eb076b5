package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a batch norm gave is not kept for the way back but computed again from what went in, which
 * is kept anyway, and the batch's statistics: one cheap pass over memory instead of an array held
 * through the step. A quarter to a third of a residual network's activations (Chen et al. 2016,
 * Training deep nets with sublinear memory cost).
 */
public final class RecomputeNorms implements Pass {
  @Override
  public Plan apply(Plan plan) {
    Map<Value, Op> norms = new IdentityHashMap<>();
    for (Op op : plan.forward()) {
      if (op.type() == OpType.BATCH_NORM && !plan.outputs().contains(op.output(0))) {
        norms.put(op.output(0), op);
      }
    }
    Map<Value, Value> again = new IdentityHashMap<>();
    List<Op> backward = new ArrayList<>();
    for (Op op : plan.backward()) {
      List<Value> inputs = new ArrayList<>();
      for (Value v : op.inputs()) {
        Op norm = norms.get(v);
        if (norm == null) {
          inputs.add(v);
          continue;
        }
        Value y = again.get(v);
        if (y == null) {
          y = Value.result(v.name() + ".recomputed", v.type(), v.shape());
          again.put(v, y);
          backward.add(
              new Op(
                  OpType.BATCH_NORM_RECOMPUTED,
                  List.of(
                      norm.input(0), norm.input(1), norm.input(2), norm.output(1), norm.output(2)),
                  List.of(y),
                  norm.arguments()));
        }
        inputs.add(y);
      }
      backward.add(op.with(inputs, op.outputs()));
    }
    return new Plan(plan.inputs(), plan.outputs(), plan.forward(), backward);
  }
}
