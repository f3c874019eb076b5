package org.swav4j.train.loop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.GradientListener;
import org.swav4j.model.TrainingStep;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.collective.GradientSums;

/**
 * The gradients, the loss and whatever else is averaged over workers in each step. Gradients are
 * averaged bucket by bucket while the backward pass goes on, by a thread of their own on the
 * collective's second lane; where it has none, after the backward pass, with the same bits. Loss
 * and others follow when the pass is over. Memory is allocated once, and none, nor a thread, with
 * one worker, whose mean is what it has.
 */
final class WorkersMean implements AutoCloseable {
  /**
   * Numbers in a bucket, 1 MiB of floats: so many that latency counts little, and so few that small
   * sums don't wait long behind them, nor the optimiser for the last one. Of 0.5 to 8 MiB it is the
   * best by the model of docs/scaling.md.
   */
  static final int BUCKET = 1 << 18;

  private final Collective collective;
  private final GradientSums sums;
  private final int bucket;
  private INDArray all;
  private INDArray behind;
  private List<PackedArray> others = new ArrayList<>();
  private GradientBuckets buckets;

  /** Null where gradients are summed after the backward pass. */
  private Aside aside;

  private int ready;

  /**
   * @param sums how gradients travel; all else is summed as it is
   * @param bucket numbers in a bucket
   */
  WorkersMean(Collective collective, GradientSums sums, int bucket) {
    this.bucket = bucket;
    this.collective = collective;
    this.sums = sums;
  }

  /** What the step has to tell; nobody with one worker. */
  GradientListener listener() {
    return collective.size() == 1 ? GradientListener.none() : this::isFinal;
  }

  /**
   * Takes the gradients of a step, replaced by their means each time.
   *
   * @param step which tells {@link #listener}
   * @param averaged as well, after the backward pass; of the weights' type
   */
  void begin(TrainingStep step, Collection<INDArray> averaged) {
    if (collective.size() == 1) {
      return;
    }
    Map<String, INDArray> named = step.gradients();
    List<INDArray> gradients = step.finalOrder().stream().map(named::get).toList();
    long first = gradients.stream().mapToLong(INDArray::length).sum();
    long length = first + averaged.stream().mapToLong(INDArray::length).sum();
    DataType type = gradients.get(0).dataType();
    all = Nd4j.zeros(type, length + 1);
    behind = all.get(NDArrayIndex.interval(first, length + 1));
    others = PackedArray.sideBySide(averaged, all, first);
    buckets =
        new GradientBuckets(collective.lane().orElse(collective), gradients, all, bucket, sums);
    if (collective.lane().isPresent()) {
      aside = new Aside("gradients of worker " + collective.rank(), buckets.count(), buckets::upTo);
    }
  }

  private void isFinal(String name) {
    ready++;
    if (aside != null) {
      aside.upTo(ready);
    }
  }

  /**
   * Averages what is left after the backward pass; all must call.
   *
   * @param loss this worker's
   * @return the mean of the losses
   * @throws IllegalStateException if another worker does not come
   */
  double take(double loss) {
    if (collective.size() == 1) {
      return loss;
    }
    others.forEach(PackedArray::pack);
    behind.putScalar(behind.length() - 1, loss);
    collective.sum(behind);
    behind.divi(collective.size());
    others.forEach(PackedArray::unpack);
    if (aside != null) {
      collective.awaitGradients(aside::await);
    } else {
      buckets.upTo(ready);
    }
    ready = 0;
    return behind.getDouble(behind.length() - 1);
  }

  /** Ends the thread and frees the memory. */
  @Override
  public void close() {
    if (aside != null) {
      aside.close();
    }
    if (buckets != null) {
      buckets.close();
      all.close();
    }
  }
}
