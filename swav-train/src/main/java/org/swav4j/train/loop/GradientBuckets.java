package org.swav4j.train.loop;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.collective.GradientSums;
import org.swav4j.train.host.HostTensor;

/**
 * The gradients of a step side by side in one array, cut into buckets of equal size, each of which
 * is averaged over the workers as soon as all gradients in it are final. A gradient may lie in
 * several buckets. Every worker has the same buckets and sums them in the same order, whenever
 * theirs are final, and numbers are added one by one: the means don't depend on the cuts, but where
 * they travel as half floats, see {@link GradientSums#FP16}. Memory is allocated once. For one
 * thread at a time.
 */
final class GradientBuckets implements AutoCloseable {
  /** What is summed at once. */
  private record Bucket(long end, INDArray part, HostTensor host, HalfSums halves) {}

  private final Collective collective;
  private final List<PackedArray> gradients;
  private final List<Bucket> buckets = new ArrayList<>();
  private int packed;
  private int summed;
  private int unpacked;

  /**
   * @param collective on whose calls nobody else waits meanwhile
   * @param gradients in the order in which they become final
   * @param all where they go: a vector that begins with as many numbers
   * @param numbers in a bucket; the last one has what is left
   * @param sums how they travel
   */
  GradientBuckets(
      Collective collective,
      List<INDArray> gradients,
      INDArray all,
      int numbers,
      GradientSums sums) {
    this.collective = collective;
    this.gradients = PackedArray.sideBySide(gradients, all, 0);
    long length = gradients.stream().mapToLong(INDArray::length).sum();
    for (long at = 0; at < length; at += numbers) {
      long end = Math.min(length, at + numbers);
      buckets.add(
          new Bucket(
              end,
              all.get(NDArrayIndex.interval(at, end)),
              new HostTensor(),
              sums == GradientSums.FP16 ? new HalfSums(collective, within(at, end)) : null));
    }
  }

  /** Lengths of what lies in a bucket of each gradient. */
  private List<Long> within(long from, long to) {
    List<Long> lengths = new ArrayList<>();
    for (PackedArray g : gradients) {
      long length = Math.min(to, g.end()) - Math.max(from, g.begin());
      if (length > 0) {
        lengths.add(length);
      }
    }
    return lengths;
  }

  /** How many gradients there are. */
  int count() {
    return gradients.size();
  }

  /**
   * Averages what is whole, in calls of the collective: when all gradients are final, the rest, and
   * the next call is one of the next step.
   *
   * @param count of the gradients that are final, the first of them, not fewer than before
   * @throws IllegalStateException if another worker does not come
   */
  void upTo(int count) {
    for (; packed < count; packed++) {
      gradients.get(packed).pack();
    }
    long there = count == 0 ? 0 : gradients.get(count - 1).end();
    for (; summed < buckets.size() && buckets.get(summed).end() <= there; summed++) {
      average(buckets.get(summed));
    }
    long done = summed == 0 ? 0 : buckets.get(summed - 1).end();
    for (; unpacked < gradients.size() && gradients.get(unpacked).end() <= done; unpacked++) {
      gradients.get(unpacked).unpack();
    }
    if (count == gradients.size()) {
      packed = 0;
      summed = 0;
      unpacked = 0;
    }
  }

  private void average(Bucket bucket) {
    if (bucket.halves() != null) {
      bucket.halves().sum(bucket.part());
    } else {
      collective.sum(bucket.part());
    }
    int workers = collective.size();
    if (!HostTensor.supports(bucket.part())) {
      bucket.part().divi(workers);
      return;
    }
    HostTensor host = bucket.host().bind(bucket.part());
    if (host.isFloat()) {
      for (int i = 0; i < host.length(); i++) {
        host.floats().put(i, host.floats().get(i) / workers);
      }
    } else {
      for (int i = 0; i < host.length(); i++) {
        host.doubles().put(i, host.doubles().get(i) / workers);
      }
    }
  }

  @Override
  public void close() {
    for (Bucket bucket : buckets) {
      if (bucket.halves() != null) {
        bucket.halves().close();
      }
    }
  }
}
