package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Leaves out ops none of whose results anybody, op or caller, reads. */
public final class DropUnread implements Pass {
  @Override
  public Plan apply(Plan plan) {
    Set<Value> read = Collections.newSetFromMap(new IdentityHashMap<>());
    read.addAll(plan.outputs());
    List<Op> backward = readOf(plan.backward(), read);
    List<Op> forward = readOf(plan.forward(), read);
    return new Plan(plan.inputs(), plan.outputs(), forward, backward);
  }

  /** From the last op to the first, so that an op's readers are known before it. */
  private static List<Op> readOf(List<Op> ops, Set<Value> read) {
    List<Op> kept = new ArrayList<>();
    for (int i = ops.size() - 1; i >= 0; i--) {
      Op op = ops.get(i);
      if (op.outputs().stream().anyMatch(read::contains)) {
        read.addAll(op.inputs());
        kept.add(op);
      }
    }
    Collections.reverse(kept);
    return kept;
  }
}
