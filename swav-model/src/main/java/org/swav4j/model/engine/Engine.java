package org.swav4j.model.engine;

import org.swav4j.model.plan.Plan;

/**
 * Turns plans into something that runs. Stateless; may be shared between threads. {@link Engines}
 * finds those on the class path; an application may as well hand in one of its own wherever an
 * engine is asked for.
 */
public interface Engine {
  /** What users write to ask for it: {@code nd4j} or {@code onednn}. */
  String name();

  /**
   * The same engine, computing in that precision; this one if it does already. Codes, for example,
   * are computed in floats by the engine that runs the network in bfloat16.
   *
   * @throws IllegalArgumentException if it can't, with the reason and what to do
   */
  Engine withPrecision(Precision precision);

  /**
   * Allocates everything the plan needs and makes it ready to run. Nothing is allocated after that.
   *
   * @throws OutOfMemoryError if it doesn't fit; {@link PlanMemoryError} where its size is known
   */
  Execution prepare(Plan plan);
}
