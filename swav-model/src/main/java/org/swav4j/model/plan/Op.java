package org.swav4j.model.plan;

import java.util.List;
import java.util.stream.Collectors;

/**
 * One step of a plan.
 *
 * @param type what is computed
 * @param inputs in the order {@link OpType} says
 * @param outputs likewise
 * @param arguments the rest
 */
public record Op(OpType type, List<Value> inputs, List<Value> outputs, Arguments arguments) {
  public Op {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  public Value input(int i) {
    return inputs.get(i);
  }

  public Value output(int i) {
    return outputs.get(i);
  }

  public Value output() {
    return outputs.get(0);
  }

  /** ND4J's name for a {@link OpType#NATIVE} op, else the type's. */
  public String label() {
    return type == OpType.NATIVE ? arguments.nativeOp().name() : type.name().toLowerCase();
  }

  /** Whether this is ND4J's op of that name. */
  public boolean is(String nativeName) {
    return type == OpType.NATIVE && arguments.nativeOp().name().equals(nativeName);
  }

  @Override
  public String toString() {
    return outputs.stream().map(Value::toString).collect(Collectors.joining(", "))
        + " = "
        + label()
        + (arguments.relu() ? "+relu" : "")
        + "("
        + inputs.stream().map(Value::name).collect(Collectors.joining(", "))
        + ")";
  }
}
