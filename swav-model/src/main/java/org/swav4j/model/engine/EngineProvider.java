package org.swav4j.model.engine;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Offers an engine to {@link Engines}, which finds providers by {@link java.util.ServiceLoader}: a
 * jar on the class path names its provider in {@code
 * META-INF/services/org.swav4j.model.engine.EngineProvider}. The class is public and has a public
 * constructor without parameters that does no work; what may fail belongs in {@link #obstacle}.
 * Methods may be called from several threads.
 */
public interface EngineProvider {
  /** What users write to ask for the engine, in lower case: {@code onednn}. */
  String name();

  /**
   * How much {@code auto} prefers the engine where it can run: the highest wins. {@code nd4j} has 0
   * and {@code onednn} has 100.
   */
  int preference();

  /**
   * What the engine computes in, on some machine: a configuration that asks for anything else is
   * refused wherever it is read. Which of it this machine can do, {@link #obstacle} tells.
   */
  default Set<Precision> precisions() {
    return EnumSet.allOf(Precision.class);
  }

  /**
   * Why the engine can't run here in that precision: the reason and what to do about it, in one
   * sentence without a name in front. Empty if it can. Asked on the machine and under the ND4J back
   * end that are live; must not throw.
   */
  Optional<String> obstacle(Precision precision);

  /**
   * The engine.
   *
   * @throws IllegalArgumentException if there is an {@link #obstacle}
   */
  Engine create(Precision precision);

  /** The name and what a reader of a report wants to know besides, such as versions. */
  default String description() {
    return name();
  }
}
