package org.swav4j.train.optimiser;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stochastic gradient descent with heavy-ball momentum and weight decay, no Nesterov, no dampening:
 * {@code m = momentum m + g + weightDecay w; w = w - lr m}.
 */
public final class Sgd implements Optimiser {
  private final Momentum momentum;
  private final Momentum.Rule rule;

  /**
   * A new optimiser; every parameter's momentum starts at 0.
   *
   * @param momentum in [0, 1)
   * @param weightDecay at least 0, on every parameter
   * @throws IllegalArgumentException if either is out of range
   */
  public Sgd(double momentum, double weightDecay) {
    this.momentum = new Momentum(momentum);
    double decay = Momentum.checkDecay(weightDecay);
    this.rule =
        (tensor, lr) -> {
          tensor.gradientNorm(); // refuses what is not finite, before it reaches the weights
          tensor.scale = 1;
          tensor.decay = decay;
        };
  }

  @Override
  public void step(
      Map<String, INDArray> parameters, Map<String, INDArray> gradients, double learningRate) {
    momentum.step(parameters, gradients, learningRate, rule);
  }

  @Override
  public Map<String, INDArray> state() {
    return momentum.state();
  }

  @Override
  public void restore(Map<String, INDArray> state) {
    momentum.restore(state);
  }
}
