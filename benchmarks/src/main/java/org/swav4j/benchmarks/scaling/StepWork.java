package org.swav4j.benchmarks.scaling;

import java.util.ArrayList;
import java.util.List;
import org.swav4j.model.CropGroup;
import org.swav4j.model.SwappedPrediction;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.train.bench.FlopCount;

/**
 * What a step of SwAV computes and sums over workers.
 *
 * @param compute seconds that the whole batch takes on one worker
 * @param small sums for which computing waits, in doubles: of each batch norm the two moments of
 *     each channel, forward and backward; of Sinkhorn the sums of the K columns
 * @param buckets sums of gradients, in floats, which computing doesn't wait for
 */
record StepWork(double compute, List<Sum> small, List<Sum> buckets) {
  StepWork {
    small = List.copyOf(small);
    buckets = List.copyOf(buckets);
  }

  /**
   * A sum over workers.
   *
   * @param after which share of the computing it can begin, from 0 to 1
   * @param numbers that are summed
   */
  record Sum(double after, long numbers) {}

  /** Gradients in all. */
  long gradients() {
    return buckets.stream().mapToLong(Sum::numbers).sum();
  }

  /** The same with all gradients summed at once, when everything is computed. */
  StepWork withoutOverlap() {
    return new StepWork(compute, small, List.of(new Sum(1, gradients())));
  }

  /**
   * Of a network. Computing advances with the operations of convolutions and products, see {@link
   * FlopCount}.
   *
   * @param compute as measured
   * @param syncNorm whether batch norm takes its moments from all workers
   * @param iterations of Sinkhorn
   * @param bucket gradients that are summed at a time
   */
  static StepWork of(
      SwavConfig network,
      List<CropGroup> crops,
      int assigning,
      int iterations,
      boolean syncNorm,
      double compute,
      int bucket) {
    SwavWeights weights = SwavWeights.initialise(network, 1);
    // The ops are the same for any batch, and each image counts alike.
    try (TrainingStep step =
        new TrainingStep(
            weights,
            crops,
            2,
            1,
            new SwappedPrediction(assigning, network.temperature()),
            new Nd4jEngine(),
            AllReduce.alone(),
            name -> {})) {
      Plan plan = step.plan();
      List<Op> ops = plan.ops();
      List<Long> flops = FlopCount.ofEach(plan);
      double total = FlopCount.of(plan).total();
      List<Sum> small = new ArrayList<>();
      List<Sum> buckets = new ArrayList<>();
      double done = 0;
      long waiting = 0;
      for (int i = 0; i < ops.size(); i++) {
        Op op = ops.get(i);
        if (i == plan.forward().size()) {
          for (int j = 0; j < assigning * (iterations + 1); j++) {
            small.add(new Sum(done, network.prototypes()));
          }
        }
        done = Math.min(1, done + flops.get(i) / total);
        if (syncNorm && (op.type() == OpType.BATCH_NORM || op.type() == OpType.BATCH_NORM_BP)) {
          small.add(new Sum(done, 2 * op.input(1).length()));
        }
        if (op.type() == OpType.FINAL) {
          for (waiting += op.input(0).length(); waiting >= bucket; waiting -= bucket) {
            buckets.add(new Sum(done, bucket));
          }
        }
      }
      if (waiting > 0) {
        buckets.add(new Sum(1, waiting));
      }
      return new StepWork(compute, small, buckets);
    }
  }
}
