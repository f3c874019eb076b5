package org.swav4j.model;

import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Weights as training leaves them: no batch norm is the identity, no statistic is 0 or 1. */
final class TrainedWeights {
  private TrainedWeights() {}

  static SwavWeights of(SwavConfig config, long seed, DataType type) {
    return trained(SwavWeights.initialise(config, seed, type), seed);
  }

  /** The same weights, which were untrained. */
  static SwavWeights trained(SwavWeights weights, long seed) {
    DataType type = weights.type();
    Random random = new Random(seed);
    weights
        .parameters()
        .forEach(
            (name, array) -> {
              if (array.rank() == 1) {
                boolean scale = name.endsWith(".weight");
                array.assign(
                    uniform(random, scale ? 0.3 : -0.2, scale ? 0.8 : 0.2, type, array.shape()));
              }
            });
    weights
        .statistics()
        .forEach(
            (name, array) -> {
              boolean mean = name.endsWith("running_mean");
              array.assign(
                  uniform(random, mean ? -0.3 : 0.5, mean ? 0.3 : 1.5, type, array.shape()));
            });
    return weights;
  }

  /** Images as a normalisation leaves them: about -2 to 2. */
  static INDArray images(long seed, DataType type, long... shape) {
    return uniform(new Random(seed), -2, 2, type, shape);
  }

  static INDArray uniform(
      Random random, double least, double greatest, DataType type, long... shape) {
    int n = 1;
    for (long s : shape) {
      n = Math.multiplyExact(n, (int) s);
    }
    double[] values = random.doubles(n, least, greatest).toArray();
    return Nd4j.createFromArray(values).castTo(type).reshape(shape);
  }
}
