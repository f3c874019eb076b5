package org.swav4j.train.loop;

import java.nio.ShortBuffer;
import java.util.List;
import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.collective.GradientSums;
import org.swav4j.train.host.HostTensor;

/**
 * Sums of gradients over workers that travel as half floats, see {@link GradientSums#FP16}. Memory
 * is allocated once. For one thread.
 */
final class HalfSums implements AutoCloseable {
  /** Sums are below 2 to this; half floats go up to nearly four times as much. */
  private static final int TOP = 14;

  private final Collective collective;
  private final int[] lengths;
  private final double[] largest;
  private final HostTensor host = new HostTensor();
  private final INDArray halves;
  private final ShortBuffer bits;

  /**
   * @param lengths of the gradients, in the order in which they lie side by side
   */
  HalfSums(Collective collective, List<Long> lengths) {
    this.collective = collective;
    this.lengths = lengths.stream().mapToInt(Math::toIntExact).toArray();
    this.largest = new double[this.lengths.length];
    long all = lengths.stream().mapToLong(Long::longValue).sum();
    this.halves = Nd4j.createUninitialized(DataType.HALF, all);
    this.bits = HostTensor.memory(halves).asShortBuffer();
  }

  /**
   * Replaces gradients by their sums over the workers; all must call.
   *
   * @param gradients a dense float or double array that begins with them, in host memory; what is
   *     behind them stays as it is
   */
  void sum(INDArray gradients) {
    host.bind(gradients);
    for (int i = 0, at = 0; i < lengths.length; at += lengths[i++]) {
      largest[i] = largest(at, lengths[i]);
    }
    collective.max(largest);
    for (int i = 0, at = 0; i < lengths.length; at += lengths[i++]) {
      pack(at, lengths[i], Math.scalb(1.0, exponent(largest[i])));
    }
    collective.sum(halves);
    for (int i = 0, at = 0; i < lengths.length; at += lengths[i++]) {
      unpack(at, lengths[i], Math.scalb(1.0, -exponent(largest[i])));
    }
  }

  /** Of the power of two that a gradient is scaled by; 0 where nothing is to be scaled. */
  private int exponent(double magnitude) {
    if (magnitude == 0 || !Double.isFinite(magnitude)) {
      return 0;
    }
    int workers = 32 - Integer.numberOfLeadingZeros(collective.size() - 1);
    // Doubles can be smaller than any power of two is large.
    return Math.min(TOP - 1 - workers - Math.getExponent(magnitude), Double.MAX_EXPONENT);
  }

  private double largest(int from, int length) {
    double most = 0;
    if (host.isFloat()) {
      for (int i = from; i < from + length; i++) {
        most = Math.max(most, Math.abs(host.floats().get(i)));
      }
    } else {
      for (int i = from; i < from + length; i++) {
        most = Math.max(most, Math.abs(host.doubles().get(i)));
      }
    }
    return most;
  }

  private void pack(int from, int length, double scale) {
    for (int i = from; i < from + length; i++) {
      double value = host.isFloat() ? host.floats().get(i) : host.doubles().get(i);
      bits.put(i, (short) HalfIndexer.fromFloat((float) (value * scale)));
    }
  }

  private void unpack(int from, int length, double scale) {
    for (int i = from; i < from + length; i++) {
      double value = HalfIndexer.toFloat(bits.get(i)) * scale;
      if (host.isFloat()) {
        host.floats().put(i, (float) value);
      } else {
        host.doubles().put(i, value);
      }
    }
  }

  @Override
  public void close() {
    halves.close();
  }
}
