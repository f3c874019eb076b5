package org.swav4j.train.loop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.collective.GradientSums;
import org.swav4j.train.host.HostTensor;

/**
 * The loss, the gradients and whatever else is averaged over workers after each step. All lie side
 * by side in one array, so that a network is used once a step, or three times where gradients
 * travel as half floats; it is allocated once, and none with one worker, whose mean is what it has.
 */
final class WorkersMean implements AutoCloseable {
  /** An array and its place in the one that is summed. */
  private static final class Packed {
    private final INDArray array;
    private final INDArray part;
    private final HostTensor hostArray = new HostTensor();
    private final HostTensor hostPart = new HostTensor();

    Packed(INDArray array, INDArray part) {
      this.array = array;
      this.part = part;
    }

    void pack() {
      copy(array, hostArray, part, hostPart);
    }

    void unpack() {
      copy(part, hostPart, array, hostArray);
    }

    private static void copy(INDArray from, HostTensor source, INDArray to, HostTensor target) {
      if (!HostTensor.supports(from)
          || !HostTensor.supports(to)
          || !HostTensor.sameLayout(from, to)) {
        to.assign(from);
        return;
      }
      source.bind(from);
      target.bind(to);
      if (source.isFloat()) {
        target.floats().put(0, source.floats(), 0, source.length());
      } else {
        target.doubles().put(0, source.doubles(), 0, source.length());
      }
    }
  }

  private final Collective collective;
  private final List<Packed> packed = new ArrayList<>();
  private INDArray all;

  /** What is summed as it is; all of it, or what is behind the gradients. */
  private INDArray exact;

  private HalfSums halves;

  /**
   * @param gradients of the weights' type, replaced by their means at each step
   * @param others averaged as well
   * @param sums how gradients travel; all else is summed as it is
   */
  WorkersMean(
      Collective collective,
      Collection<INDArray> gradients,
      Collection<INDArray> others,
      GradientSums sums) {
    this.collective = collective;
    if (collective.size() == 1) {
      return;
    }
    List<INDArray> arrays = new ArrayList<>(gradients);
    arrays.addAll(others);
    long length = arrays.stream().mapToLong(INDArray::length).sum();
    DataType type = gradients.iterator().next().dataType();
    all = Nd4j.zeros(type, length + 1);
    long at = 0;
    for (INDArray array : arrays) {
      INDArray part = all.get(NDArrayIndex.interval(at, at + array.length()));
      at += array.length();
      packed.add(new Packed(array, part.reshape('c', array.shape())));
    }
    if (sums == GradientSums.FP16) {
      List<Long> lengths = gradients.stream().map(INDArray::length).toList();
      long first = lengths.stream().mapToLong(Long::longValue).sum();
      halves = new HalfSums(collective, lengths);
      exact = all.get(NDArrayIndex.interval(first, length + 1));
    } else {
      exact = all;
    }
  }

  /**
   * Averages over the workers; all must call.
   *
   * @param loss this worker's
   * @return the mean of the losses
   */
  double take(double loss) {
    if (collective.size() == 1) {
      return loss;
    }
    packed.forEach(Packed::pack);
    all.putScalar(all.length() - 1, loss);
    if (halves != null) {
      halves.sum(all);
    }
    collective.sum(exact);
    all.divi(collective.size());
    packed.forEach(Packed::unpack);
    return all.getDouble(all.length() - 1);
  }

  @Override
  public void close() {
    if (halves != null) {
      halves.close();
    }
    if (all != null) {
      all.close();
    }
  }
}
