package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The sums that end residual blocks are not kept for the way back but added up again where they are
 * first wanted, from what is kept anyway or can itself be computed again: a batch norm's result
 * ({@link RecomputeNorms} comes after this pass and sees to it), an earlier sum, or a value that
 * backward reads as it is. What then has to be kept are the convolutions' results alone (Chen et
 * al. 2016, Training deep nets with sublinear memory cost). All sums of a stage, each needing the
 * one before, come back together, but by then the later stages' memory is free.
 */
public final class RecomputeSums implements Pass {
  @Override
  public Plan apply(Plan plan) {
    return new Rewriting(plan).rewritten();
  }

  /** One plan being rewritten. */
  private static final class Rewriting {
    private final Plan plan;
    private final Readers readers;
    private final Set<Value> keptAnyway = new HashSet<>();
    private final Map<Value, Op> sums = new IdentityHashMap<>();
    private final Map<Value, Value> again = new IdentityHashMap<>();
    private final List<Op> backward = new ArrayList<>();

    Rewriting(Plan plan) {
      this.plan = plan;
      this.readers = new Readers(plan);
      plan.backward().forEach(op -> keptAnyway.addAll(op.inputs()));
      for (Op op : plan.forward()) {
        if (op.type() == OpType.ADD
            && !readers.isOutput(op.output())
            && op.inputs().stream().allMatch(this::comesBack)) {
          sums.put(op.output(), op);
        }
      }
    }

    /** Whether it is there on the way back without being kept for this pass's sake. */
    private boolean comesBack(Value v) {
      Op maker = readers.producer(v);
      boolean norm =
          maker != null
              && maker.type() == OpType.BATCH_NORM
              && maker.output(0) == v
              && !readers.isOutput(v);
      return norm || sums.containsKey(v) || keptAnyway.contains(v);
    }

    Plan rewritten() {
      for (Op op : plan.backward()) {
        List<Value> inputs = op.inputs().stream().map(this::back).toList();
        backward.add(op.with(inputs, op.outputs()));
      }
      return new Plan(plan.inputs(), plan.outputs(), plan.forward(), backward);
    }

    /** What to read in place of a value; a sum is added up again, after those it needs. */
    private Value back(Value v) {
      Op sum = sums.get(v);
      if (sum == null) {
        return v;
      }
      Value known = again.get(v);
      if (known == null) {
        List<Value> inputs = sum.inputs().stream().map(this::back).toList();
        known = Value.result(v.name() + ".recomputed", v.type(), v.shape());
        again.put(v, known);
        backward.add(sum.with(inputs, List.of(known)));
      }
      return known;
    }
  }
}
