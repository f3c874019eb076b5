package org.swav4j.model.engine;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * For each value of a plan the first and the last op, counted through forward and backward, that
 * touches it.
 */
public final class Lifetimes {
  private final Map<Value, int[]> spans = new IdentityHashMap<>();

  /** Of that plan; its inputs and outputs live throughout. */
  public Lifetimes(Plan plan) {
    List<Op> ops = plan.ops();
    for (int i = 0; i < ops.size(); i++) {
      for (Value v : ops.get(i).inputs()) {
        touch(v, i);
      }
      for (Value v : ops.get(i).outputs()) {
        touch(v, i);
      }
    }
    for (List<Value> ends : List.of(plan.inputs(), plan.outputs())) {
      for (Value v : ends) {
        touch(v, -1);
        touch(v, Integer.MAX_VALUE);
      }
    }
  }

  private void touch(Value v, int at) {
    int[] span = spans.computeIfAbsent(v, x -> new int[] {at, at});
    span[0] = Math.min(span[0], at);
    span[1] = Math.max(span[1], at);
  }

  /** Index of the op that makes it; -1 for what is there from the start. */
  public int first(Value v) {
    return spans.get(v)[0];
  }

  /** Index of the last op that reads it; {@link Integer#MAX_VALUE} for what the caller reads. */
  public int last(Value v) {
    return spans.get(v)[1];
  }
}
