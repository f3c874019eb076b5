package org.swav4j.train.loop;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.host.HostTensor;

/**
 * Compares the weights of workers that train together, which are the same bits everywhere unless
 * something is wrong: a faulty machine, another build of a library, another kind of processor.
 */
final class WeightsDigest {
  private static final int CHUNK = 1 << 14;

  private final Collective collective;
  private final SwavWeights weights;
  private final HostTensor host = new HostTensor();

  WeightsDigest(Collective collective, SwavWeights weights) {
    this.collective = collective;
    this.weights = weights;
  }

  /**
   * Refuses to go on if weights or running statistics differ; all workers must call.
   *
   * @param step steps completed
   * @throws TrainingException on every worker, naming those that differ from the most; all, where
   *     no digest is more frequent than every other, as with two workers
   */
  void requireEqual(long step) {
    if (collective.size() == 1) {
      return;
    }
    // Each has its place, so that the sum is all of them side by side.
    double[] digests = new double[collective.size()];
    digests[collective.rank()] = digest();
    collective.sum(digests);
    double usual = mostFrequent(digests);
    if (IntStream.range(0, digests.length).anyMatch(i -> ties(digests, i, usual))) {
      throw new TrainingException(
          String.format(
              Locale.ROOT,
              "the weights of %d workers differ after %d steps, and it can't be told whose are right"
                  + " (digests by rank: %s): was one started with other weights or settings, has it"
                  + " another processor or other libraries, or faulty memory? Go on from the last"
                  + " checkpoint with workers that are alike",
              digests.length,
              step,
              Arrays.stream(digests)
                  .mapToObj(d -> String.format(Locale.ROOT, "%08x", (long) d))
                  .collect(Collectors.joining(", "))));
    }
    List<Integer> others =
        IntStream.range(0, digests.length).filter(rank -> digests[rank] != usual).boxed().toList();
    if (!others.isEmpty()) {
      throw new TrainingException(
          String.format(
              Locale.ROOT,
              "the weights of worker %s of %d are not those of the others after %d steps (digest"
                  + " %08x, expected %08x): was it started with other weights or settings, has it"
                  + " another processor or other libraries, or faulty memory? Go on from the last"
                  + " checkpoint without it",
              others.size() == 1 ? others.get(0).toString() : others.toString(),
              digests.length,
              step,
              (long) digests[others.get(0)],
              (long) usual));
    }
  }

  /** What most have; of several that are as frequent, the one of the lowest rank. */
  private static double mostFrequent(double[] digests) {
    double best = digests[0];
    long most = 0;
    for (double candidate : digests) {
      long count = count(digests, candidate);
      if (count > most) {
        most = count;
        best = candidate;
      }
    }
    return best;
  }

  private static boolean ties(double[] digests, int rank, double usual) {
    return digests[rank] != usual && count(digests, digests[rank]) == count(digests, usual);
  }

  private static long count(double[] digests, double digest) {
    return Arrays.stream(digests).filter(d -> d == digest).count();
  }

  /** CRC-32 of all weights and running statistics, as floats, in their order. */
  private long digest() {
    CRC32 crc = new CRC32();
    ByteBuffer bytes = ByteBuffer.allocate(CHUNK * Float.BYTES);
    for (INDArray array : weights.parameters().values()) {
      add(array, bytes, crc);
    }
    for (INDArray array : weights.statistics().values()) {
      add(array, bytes, crc);
    }
    return crc.getValue();
  }

  private void add(INDArray array, ByteBuffer bytes, CRC32 crc) {
    FloatBuffer floats = host.read(array);
    FloatBuffer chunk = bytes.asFloatBuffer();
    int length = Math.toIntExact(array.length());
    for (int at = 0; at < length; at += CHUNK) {
      int count = Math.min(CHUNK, length - at);
      chunk.put(0, floats, at, count);
      crc.update(bytes.array(), 0, count * Float.BYTES);
    }
  }
}
