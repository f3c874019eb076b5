package org.swav4j.train.loop;

import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;

/**
 * The exponential moving average of weights and running statistics over the steps of a run:
 *
 * <pre>average = d · average + (1 - d) · weights,   d = min(decay, (1 + t) / (10 + t))</pre>
 *
 * <p>after step t, counted from 0. The smaller d of the first steps lets go of the random weights
 * that the run begins with. Training doesn't read the average. Not thread-safe.
 */
final class WeightsAverage implements AutoCloseable {
  private final SwavWeights weights;
  private final SwavWeights average;
  private final double decay;

  /**
   * Begins with the weights as they are.
   *
   * @param weights that are trained
   * @param decay share of the average that a step keeps, between 0 and 1
   */
  WeightsAverage(SwavWeights weights, double decay) {
    this.weights = weights;
    this.average = weights.copy();
    this.decay = decay;
  }

  /** The average; live. */
  SwavWeights weights() {
    return average;
  }

  /**
   * Takes in the weights after a step.
   *
   * @param step its number, from 0
   */
  void update(long step) {
    double kept = Math.min(decay, (1.0 + step) / (10.0 + step));
    average.parameters().forEach((name, a) -> move(a, weights.parameters().get(name), 1 - kept));
    average.statistics().forEach((name, a) -> move(a, weights.statistics().get(name), 1 - kept));
  }

  private static void move(INDArray average, INDArray to, double share) {
    try (INDArray way = to.sub(average)) {
      average.addi(way.muli(share));
    }
  }

  /** Parameters and statistics of the average by name, as a checkpoint keeps them; live. */
  Map<String, INDArray> state() {
    Map<String, INDArray> all = new LinkedHashMap<>(average.parameters());
    all.putAll(average.statistics());
    return all;
  }

  /** Frees the average. */
  @Override
  public void close() {
    state().values().forEach(INDArray::close);
  }
}
