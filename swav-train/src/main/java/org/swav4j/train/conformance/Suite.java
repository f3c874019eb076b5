package org.swav4j.train.conformance;

import java.util.List;
import org.swav4j.model.engine.Engine;

/** One fixture file's meaning: which calls give the numbers it records. */
interface Suite {
  /** What the product computes these in. */
  default List<Arithmetic> arithmetics() {
    return List.of(Arithmetic.FLOAT, Arithmetic.DOUBLE);
  }

  /** Whether an engine takes part. */
  default boolean usesEngine() {
    return false;
  }

  /**
   * Runs every case.
   *
   * @throws FixtureException if the file is not in its format
   */
  void run(Fixture file, Comparisons to, Engine engine);
}
