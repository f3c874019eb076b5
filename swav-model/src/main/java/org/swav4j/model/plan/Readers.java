package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who makes and who reads each value of a plan. */
public final class Readers {
  private final Map<Value, Op> producer = new IdentityHashMap<>();
  private final Map<Value, List<Op>> readers = new IdentityHashMap<>();
  private final Set<Value> outputs;

  /** Of that plan, as it stands. */
  public Readers(Plan plan) {
    for (Op op : plan.ops()) {
      for (Value v : op.outputs()) {
        producer.put(v, op);
      }
      for (Value v : op.inputs()) {
        readers.computeIfAbsent(v, x -> new ArrayList<>()).add(op);
      }
    }
    outputs = new HashSet<>(plan.outputs());
  }

  /** The op that computes it, or null if none does. */
  public Op producer(Value v) {
    return producer.get(v);
  }

  /** The op that computes it if it is ND4J's of that name, otherwise null. */
  Op producer(Value v, String name) {
    Op op = producer.get(v);
    return op != null && op.isNative(name) ? op : null;
  }

  /** The only op of ND4J's of that name that reads it; null if there are none or several. */
  Op reader(Value v, String name) {
    List<Op> found = of(v).stream().filter(op -> op.isNative(name)).distinct().toList();
    return found.size() == 1 ? found.get(0) : null;
  }

  /** Whether nobody but these ops reads any of the values. */
  boolean areRead(Collection<Value> values, Set<Op> by) {
    return values.stream().allMatch(v -> !isOutput(v) && by.containsAll(of(v)));
  }

  /** The ops that read it, one entry per input. */
  public List<Op> of(Value v) {
    return readers.getOrDefault(v, List.of());
  }

  /** Whether the caller reads it. */
  public boolean isOutput(Value v) {
    return outputs.contains(v);
  }

  /** Whether somebody, op or caller, reads it. */
  public boolean isRead(Value v) {
    return isOutput(v) || readers.containsKey(v);
  }
}
