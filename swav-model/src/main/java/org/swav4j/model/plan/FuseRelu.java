package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A rectifier becomes part of the batch norm or addition before it, and its gradient part of that
 * batch norm's gradient: the array between them is never written. {@code y = relu(bn(x))} needs
 * only y on the way back, for y is positive exactly where the rectifier passed.
 */
public final class FuseRelu implements Pass {
  @Override
  public Plan apply(Plan plan) {
    Readers readers = new Readers(plan);
    // Going forward: producer of the rectifier's input → the rectifier.
    Map<Op, Op> rectifierAfter = new IdentityHashMap<>();
    // Going back: batch norm's gradient → the rectifier's gradient before it.
    Map<Op, Op> maskBefore = new IdentityHashMap<>();
    Map<Op, Boolean> gone = new IdentityHashMap<>();
    Map<Value, Boolean> fusedNorm = new HashMap<>();
    for (Op op : plan.ops()) {
      if (op.type() == OpType.RELU) {
        Value x = op.input(0);
        Op before = readers.producer(x);
        boolean fusible =
            before != null
                && (before.type() == OpType.BATCH_NORM || before.type() == OpType.ADD)
                && !before.arguments().relu()
                && readers.of(x).size() == 1
                && !readers.isOutput(x);
        if (fusible) {
          rectifierAfter.put(before, op);
          gone.put(op, true);
          if (before.type() == OpType.BATCH_NORM) {
            fusedNorm.put(before.output(1), true);
          }
        }
      }
    }
    for (Op op : plan.ops()) {
      if (op.type() == OpType.BATCH_NORM_BP && fusedNorm.containsKey(op.input(3))) {
        Op mask = readers.producer(op.input(5));
        boolean fusible =
            mask != null
                && mask.type() == OpType.RELU_BP
                && readers.of(op.input(5)).size() == 1
                && !readers.isOutput(op.input(5));
        if (fusible) {
          maskBefore.put(op, mask);
          gone.put(mask, true);
        }
      }
    }
    return new Plan(
        plan.inputs(),
        plan.outputs(),
        rewrite(plan.forward(), rectifierAfter, maskBefore, gone),
        rewrite(plan.backward(), rectifierAfter, maskBefore, gone));
  }

  private static List<Op> rewrite(
      List<Op> ops, Map<Op, Op> rectifierAfter, Map<Op, Op> maskBefore, Map<Op, Boolean> gone) {
    List<Op> result = new ArrayList<>();
    for (Op op : ops) {
      if (gone.containsKey(op)) {
        continue;
      }
      Op relu = rectifierAfter.get(op);
      Op mask = maskBefore.get(op);
      if (relu != null) {
        List<Value> outputs = new ArrayList<>(op.outputs());
        outputs.set(0, relu.output());
        result.add(new Op(op.type(), op.inputs(), outputs, op.arguments().withRelu()));
      } else if (mask != null) {
        List<Value> inputs = new ArrayList<>(op.inputs().subList(0, 5));
        inputs.add(mask.input(1));
        inputs.add(mask.input(0));
        result.add(new Op(op.type(), inputs, op.outputs(), op.arguments().withRelu()));
      } else {
        result.add(op);
      }
    }
    return result;
  }
}
