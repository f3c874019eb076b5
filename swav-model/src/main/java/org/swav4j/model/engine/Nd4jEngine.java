package org.swav4j.model.engine;

import java.util.Optional;
import org.swav4j.model.plan.Plan;

/**
 * Runs plans by replaying ND4J ops over arrays allocated once: on any back end of ND4J, in float
 * and double. The oracle for faster engines.
 */
public final class Nd4jEngine implements Engine {
  static final String NAME = "nd4j";

  static Optional<String> obstacle(Precision precision) {
    return precision == Precision.FLOAT
        ? Optional.empty()
        : Optional.of(
            "it computes in the type of the weights, not in "
                + precision.label()
                + ": choose precision float, or engine onednn where the processor has bf16");
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Engine withPrecision(Precision precision) {
    obstacle(precision)
        .ifPresent(
            why -> {
              throw new IllegalArgumentException("engine " + NAME + " can't run here: " + why);
            });
    return this;
  }

  @Override
  public Execution prepare(Plan plan) {
    return new Nd4jExecution(plan);
  }
}
