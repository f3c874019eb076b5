package org.swav4j.model.plan;

import java.util.List;
import java.util.Locale;
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

  /** The type's name as printed, with what is fused into it: {@code batch_norm+relu}. */
  public String label() {
    return type == OpType.ND4J ? "nd4j:" + arguments.nativeOp().name() : typeLabel();
  }

  private String typeLabel() {
    return type.name().toLowerCase(Locale.ROOT)
        + (arguments.relu() ? "+relu" : "")
        + (arguments.synchronised() ? "+sync" : "");
  }

  /** Whether it is ND4J's op of that name. */
  public boolean isNative(String name) {
    return type == OpType.ND4J && arguments.nativeOp().name().equals(name);
  }

  /** The same op on other values. */
  public Op with(List<Value> newInputs, List<Value> newOutputs) {
    return new Op(type, newInputs, newOutputs, arguments);
  }

  /** The same op told otherwise. */
  public Op with(Arguments others) {
    return new Op(type, inputs, outputs, others);
  }

  @Override
  public String toString() {
    return outputs.stream().map(Value::toString).collect(Collectors.joining(", "))
        + " = "
        + label()
        + "("
        + inputs.stream().map(Value::name).collect(Collectors.joining(", "))
        + ")";
  }
}
