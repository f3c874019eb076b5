package org.swav4j.model.engine;

import java.util.List;

/**
 * Which engine to run plans with: one of those whose {@link EngineProvider} is on the class path.
 * Safe for use by several threads.
 */
public final class Engines {
  private Engines() {}

  /** The names {@link #of} knows besides {@code auto}, the preferred first. */
  public static List<String> names() {
    return Providers.find().names();
  }

  /**
   * The preferred engine among those that can run here in floats. Says once, by a warning, which
   * preferred ones can't and why.
   */
  public static Engine best() {
    return Providers.find().best(Precision.FLOAT);
  }

  /**
   * The engine of that name.
   *
   * @param name as {@link #names} has it, or {@code auto} for the preferred engine among those that
   *     can run here in that precision
   * @throws IllegalArgumentException if there is no such engine, if it can't run on this machine,
   *     or not in this precision
   */
  public static Engine of(String name, Precision precision) {
    return Providers.find().of(name, precision);
  }

  /**
   * Whether {@link #of} gives an engine: it is known, and can run here in that precision.
   *
   * @param name as there
   */
  public static boolean canRun(String name, Precision precision) {
    return Providers.find().canRun(name, precision);
  }

  /**
   * Whether the engine computes in that precision on some machine, if not on this.
   *
   * @param name as {@link #of} takes it; {@code auto} for any engine
   */
  public static boolean computesIn(String name, Precision precision) {
    return Providers.find().computesIn(name, precision);
  }

  /** Which engine {@link #best} gives and why, in one line. */
  public static String explain() {
    return Providers.find().explain();
  }
}
