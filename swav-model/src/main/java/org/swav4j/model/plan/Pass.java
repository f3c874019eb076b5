package org.swav4j.model.plan;

import java.util.List;

/** Turns a plan into one that gives the same numbers in less time or memory. */
@FunctionalInterface
public interface Pass {
  /** What a training step applies: patterns first, so that the later passes see whole ops. */
  static Pass standard() {
    return plan -> {
      Plan p = plan;
      for (Pass pass :
          List.of(
              new RecogniseRowNormalisation(),
              new RecogniseSwappedPrediction(),
              new DropUnread(),
              new FuseRelu(),
              new RecomputeSums(),
              new RecomputeNorms())) {
        p = pass.apply(p);
      }
      return p;
    };
  }

  /** The simplified plan; its inputs and outputs are those of {@code plan}, object for object. */
  Plan apply(Plan plan);
}
