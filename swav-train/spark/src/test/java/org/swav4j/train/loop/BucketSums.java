package org.swav4j.train.loop;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.collective.GradientSums;

/** The sums of a step's gradients, alone: what a training step does after its backward pass. */
public final class BucketSums implements AutoCloseable {
  private final INDArray all;
  private final GradientBuckets buckets;

  /**
   * Sums over workers.
   *
   * @param gradients as one array; replaced by their means each time
   * @param numbers in a bucket
   */
  public BucketSums(Collective collective, INDArray gradients, int numbers, GradientSums sums) {
    this.all = Nd4j.zeros(gradients.dataType(), gradients.length());
    this.buckets = new GradientBuckets(collective, List.of(gradients), all, numbers, sums);
  }

  /** Averages the gradients over the workers; all must call. */
  public void sum() {
    buckets.upTo(buckets.count());
  }

  @Override
  public void close() {
    buckets.close();
    all.close();
  }
}
