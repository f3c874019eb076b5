package org.swav4j.model.engine;

import org.swav4j.model.plan.Plan;

/**
 * Runs plans by replaying ND4J ops over arrays allocated once: on any back end of ND4J, in float
 * and double. The oracle for faster engines.
 */
public final class Nd4jEngine implements Engine {
  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public Execution prepare(Plan plan) {
    return new Nd4jExecution(plan);
  }
}
