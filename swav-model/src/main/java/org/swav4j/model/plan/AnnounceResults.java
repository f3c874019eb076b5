package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Puts an {@link OpType#FINAL} behind the op that makes a result, so that somebody may go on with
 * the result's array, and change it, while the backward half runs on: several workers sum gradients
 * of the last layers while those of the first are computed.
 *
 * <p>Results are announced at the end where others share their memory: those that ops read, of
 * which engines may have views, and those that are put together from others, which engines may
 * write in place. Each is announced once a run.
 *
 * <p>After all other passes.
 */
public final class AnnounceResults implements Pass {
  private final List<Value> results;
  private final IntConsumer listener;

  /**
   * For outputs of a plan.
   *
   * @param results that ops of the plan make
   * @param listener is given a result's place in the list; called by the thread that runs the plan
   */
  public AnnounceResults(List<Value> results, IntConsumer listener) {
    this.results = List.copyOf(results);
    this.listener = listener;
  }

  @Override
  public Plan apply(Plan plan) {
    Readers readers = new Readers(plan);
    Set<Value> left = new HashSet<>(results);
    List<Op> backward = new ArrayList<>();
    for (Op op : plan.backward()) {
      backward.add(op);
      if (op.type() != OpType.CONCAT_ROWS) {
        for (Value v : op.outputs()) {
          if (readers.of(v).isEmpty() && left.remove(v)) {
            backward.add(announcement(v));
          }
        }
      }
    }
    results.stream().filter(left::remove).map(this::announcement).forEach(backward::add);
    return new Plan(plan.inputs(), plan.outputs(), plan.forward(), backward);
  }

  private Op announcement(Value result) {
    int place = results.indexOf(result);
    return new Op(
        OpType.FINAL, List.of(result), List.of(), Arguments.call(() -> listener.accept(place)));
  }
}
