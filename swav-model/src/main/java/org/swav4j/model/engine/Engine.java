package org.swav4j.model.engine;

import org.swav4j.model.plan.Plan;

/** Turns plans into something that runs. Stateless; may be shared between threads. */
public interface Engine {
  /** What the command line calls it: {@code nd4j} or {@code onednn}. */
  String name();

  /**
   * Allocates everything the plan needs and makes it ready to run. Nothing is allocated after that.
   */
  Execution prepare(Plan plan);
}
