package org.swav4j.model.plan;

import java.util.List;

/**
 * Batch norm takes its moments from the rows of all workers, as on one machine that has the whole
 * batch: going forward the mean and the variance are summed over workers before anything is
 * normalised, going back the gradients of shift and scale before they enter the gradient of x. Each
 * worker has equally many rows. Without it a worker normalises by its own rows, which are fewer. If
 * it shall be exact, convolutions and products of matrices, whose algorithm may be chosen by the
 * number of rows, are told of all workers.
 *
 * <p>After the other passes: what is fused into a norm stays so, and what is recomputed is
 * recomputed from the moments of all.
 */
public final class SynchroniseNorms implements Pass {
  private final AllReduce workers;

  /**
   * Over those workers; for one, plans stay as they are unless {@link AllReduce#isExact}.
   *
   * @param workers who run the same plan
   */
  public SynchroniseNorms(AllReduce workers) {
    this.workers = workers;
  }

  @Override
  public Plan apply(Plan plan) {
    return workers.size() == 1 && !workers.isExact()
        ? plan
        : new Plan(
            plan.inputs(),
            plan.outputs(),
            synchronised(plan.forward()),
            synchronised(plan.backward()));
  }

  private List<Op> synchronised(List<Op> ops) {
    return ops.stream().map(this::synchronised).toList();
  }

  private Op synchronised(Op op) {
    return switch (op.type()) {
      case BATCH_NORM, BATCH_NORM_BP -> op.with(op.arguments().over(workers));
      case CONV2D, CONV2D_BP, MATMUL ->
          workers.isExact() ? op.with(op.arguments().over(workers)) : op;
      default -> op;
    };
  }
}
