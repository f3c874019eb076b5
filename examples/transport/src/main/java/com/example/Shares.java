package com.example;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.sinkhorn.NDSinkhorn;
import org.swav4j.sinkhorn.TransportPlan;

/**
 * Work shared out by entropic optimal transport: every group has so much work, every worker so much
 * time, and some go better together than others. SwAV shares a batch out over its prototypes in the
 * same way.
 */
public final class Shares {
  private Shares() {}

  /**
   * Shares that use all time and do all work, and are best by {@code suitability} but for a little
   * spread.
   *
   * @param suitability of each worker (columns) for each group of work (rows), {@code [groups,
   *     workers]}
   * @param work share of each group, {@code [groups]}, adding up to 1
   * @param time share of each worker, {@code [workers]}, adding up to 1
   * @param spread above 0: the smaller, the more goes to the best worker alone
   * @return {@code [groups, workers]}, adding up to 1
   */
  public static INDArray of(INDArray suitability, INDArray work, INDArray time, double spread) {
    TransportPlan plan =
        new NDSinkhorn().planToTolerance(suitability, work, time, spread, 1e-9, 10_000);
    return plan.plan();
  }
}
