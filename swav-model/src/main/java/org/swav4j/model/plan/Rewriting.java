package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A plan in which some ops are replaced and some left out. */
final class Rewriting {
  private final Plan plan;
  private final Map<Op, Op> replacements = new IdentityHashMap<>();
  private final Set<Op> removed = Collections.newSetFromMap(new IdentityHashMap<>());

  Rewriting(Plan plan) {
    this.plan = plan;
  }

  /** Puts an op in another's place. */
  void replace(Op old, Op by) {
    replacements.put(old, by);
  }

  /** Leaves ops out; one that is replaced stays replaced. */
  void remove(Collection<Op> ops) {
    removed.addAll(ops);
  }

  /** The new plan. */
  Plan plan() {
    return new Plan(
        plan.inputs(), plan.outputs(), rewrite(plan.forward()), rewrite(plan.backward()));
  }

  private List<Op> rewrite(List<Op> ops) {
    List<Op> result = new ArrayList<>();
    for (Op op : ops) {
      if (replacements.containsKey(op)) {
        result.add(replacements.get(op));
      } else if (!removed.contains(op)) {
        result.add(op);
      }
    }
    return result;
  }
}
