package org.swav4j.model.plan;

/** Turns a plan into one that gives the same numbers in less time or memory. */
@FunctionalInterface
public interface Pass {
  /** The simplified plan; its inputs and outputs are those of {@code plan}, object for object. */
  Plan apply(Plan plan);
}
