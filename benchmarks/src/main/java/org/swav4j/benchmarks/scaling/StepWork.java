package org.swav4j.benchmarks.scaling;

import java.util.ArrayList;
import java.util.List;
import org.swav4j.model.CropGroup;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;

/**
 * What a step of SwAV computes and sums over workers.
 *
 * @param compute seconds that the whole batch takes on one worker
 * @param small numbers in each of the sums during the step, in doubles: of each batch norm the two
 *     moments of each channel, forward and backward; of Sinkhorn the sums of the K columns
 * @param gradients numbers in the sum at its end, in floats
 */
record StepWork(double compute, List<Integer> small, long gradients) {
  StepWork {
    small = List.copyOf(small);
  }

  /**
   * Of a network.
   *
   * @param compute as measured
   * @param syncNorm whether batch norm takes its moments from all workers
   * @param iterations of Sinkhorn
   */
  static StepWork of(
      SwavConfig network,
      List<CropGroup> crops,
      int assigning,
      int iterations,
      boolean syncNorm,
      double compute) {
    SwavWeights weights = SwavWeights.initialise(network, 1);
    List<Integer> small = new ArrayList<>();
    // The ops are the same for any batch.
    try (TrainingStep step = new TrainingStep(weights, crops, 2, assigning, new Nd4jEngine())) {
      if (syncNorm) {
        for (List<Op> half : List.of(step.plan().forward(), step.plan().backward())) {
          for (Op op : half) {
            if (op.type() == OpType.BATCH_NORM || op.type() == OpType.BATCH_NORM_BP) {
              small.add(2 * Math.toIntExact(op.input(1).length()));
            }
          }
        }
      }
    }
    for (int i = 0; i < assigning * (iterations + 1); i++) {
      small.add(network.prototypes());
    }
    long gradients = weights.parameters().values().stream().mapToLong(a -> a.length()).sum();
    return new StepWork(compute, small, gradients);
  }
}
