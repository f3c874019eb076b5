package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * A program over arrays of fixed shapes: the ops up to the point where the caller looks at results
 * and fills further inputs ({@code forward}), and those after it ({@code backward}), each in an
 * order that respects what they read. Engines run it over memory allocated once.
 *
 * @param inputs values the caller fills
 * @param outputs values the caller reads; they stay valid until the next run
 * @param forward ops that don't depend on late inputs
 * @param backward the others; empty in inference
 */
public record Plan(List<Value> inputs, List<Value> outputs, List<Op> forward, List<Op> backward) {
  public Plan {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    forward = List.copyOf(forward);
    backward = List.copyOf(backward);
  }

  /** All ops in order. */
  public List<Op> ops() {
    List<Op> all = new ArrayList<>(forward);
    all.addAll(backward);
    return all;
  }

  /** The plan as text: one op a line with shapes and bytes. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder();
    for (Value v : inputs) {
      s.append("input  ").append(v).append('\n');
    }
    for (Op op : forward) {
      s.append(op).append('\n');
    }
    if (!backward.isEmpty()) {
      s.append("-- targets --\n");
    }
    for (Op op : backward) {
      s.append(op).append('\n');
    }
    for (Value v : outputs) {
      s.append("output ").append(v).append('\n');
    }
    return s.toString();
  }
}
