package org.swav4j.train.optimiser;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Layer-wise adaptive rate scaling (You, Gitman, Ginsburg 2017, <a
 * href="https://arxiv.org/abs/1708.03888">arXiv 1708.03888</a>) as SwAV uses it: around SGD with
 * momentum, each parameter tensor on its own:
 *
 * <pre>
 * r  = trust |w| / (|g| + decay |w| + epsilon)
 * g~ = r (g + decay w)         if |w| &gt; 0 and |g| &gt; 0, else g (neither scaled nor decayed)
 * m  = momentum m + g~         (m = g~ the first time)
 * w  = w - lr m
 * </pre>
 *
 * <p>The size of the gradient cancels out, so scaling the loss changes nothing, and a step moves a
 * tensor by about lr · trust of its norm: learning rates that suit SGD or Adam (1e-3) stand still
 * here. A tensor that starts at zero takes its first step unscaled.
 */
public final class Lars implements Optimiser {
  /** How the ratio r is used. */
  public enum Ratio {
    /** As it is; the official recipes. */
    SCALE,
    /** At most 1 after multiplying by the learning rate: r = min(r / lr, 1) ("LARC"). */
    CLIP
  }

  /** Which tensors are scaled and decayed. */
  public enum Scope {
    /** All, biases and batch norm included; the official recipes. */
    ALL,
    /** Matrices and convolutions only; tensors of rank at most 1 get plain SGD without decay. */
    WEIGHTS
  }

  /**
   * The rule's constants.
   *
   * @param momentum in [0, 1)
   * @param weightDecay at least 0
   * @param trust above 0; relative length of a step at learning rate 1
   * @param epsilon at least 0; keeps the ratio finite
   * @param ratio scale or clip
   * @param scope all tensors or weights only
   */
  public record Rule(
      double momentum, double weightDecay, double trust, double epsilon, Ratio ratio, Scope scope) {
    /** Checks the ranges; throws IllegalArgumentException with the offending value. */
    public Rule {
      if (!(trust > 0 && trust < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "trust coefficient " + trust + " is not above 0: SwAV uses 0.001");
      }
      if (!(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "LARS epsilon " + epsilon + " is not a number of at least 0: SwAV uses 1e-8");
      }
      Momentum.checkDecay(weightDecay);
    }

    /** SwAV's: trust 0.001, epsilon 1e-8, ratio scaled, nothing left out. */
    public static Rule of(double momentum, double weightDecay) {
      return new Rule(momentum, weightDecay, 0.001, 1e-8, Ratio.SCALE, Scope.ALL);
    }

    /** The same with another trust coefficient. */
    public Rule withTrust(double value) {
      return new Rule(momentum, weightDecay, value, epsilon, ratio, scope);
    }

    /** The same with another epsilon. */
    public Rule withEpsilon(double value) {
      return new Rule(momentum, weightDecay, trust, value, ratio, scope);
    }

    /** The same with another use of the ratio. */
    public Rule withRatio(Ratio value) {
      return new Rule(momentum, weightDecay, trust, epsilon, value, scope);
    }

    /** The same with another scope. */
    public Rule withScope(Scope value) {
      return new Rule(momentum, weightDecay, trust, epsilon, ratio, value);
    }
  }

  private final Momentum momentum;
  private final Rule rule;
  private final Momentum.Rule apply = this::adapt;

  /**
   * SwAV's LARS, see {@link Rule#of}.
   *
   * @throws IllegalArgumentException if a value is out of range
   */
  public Lars(double momentum, double weightDecay) {
    this(Rule.of(momentum, weightDecay));
  }

  /** LARS with other constants. */
  public Lars(Rule rule) {
    this.rule = rule;
    this.momentum = new Momentum(rule.momentum());
  }

  /** The constants. */
  public Rule rule() {
    return rule;
  }

  @Override
  public void step(
      Map<String, INDArray> parameters, Map<String, INDArray> gradients, double learningRate) {
    momentum.step(parameters, gradients, learningRate, apply);
  }

  private void adapt(Momentum.Tensor tensor, double learningRate) {
    tensor.scale = 1;
    tensor.decay = 0;
    double g = tensor.gradientNorm();
    if (rule.scope() == Scope.WEIGHTS && tensor.rank() <= 1) {
      return;
    }
    double w = tensor.parameterNorm();
    if (w > 0 && g > 0) {
      double r = rule.trust() * w / (g + rule.weightDecay() * w + rule.epsilon());
      tensor.scale = rule.ratio() == Ratio.CLIP ? Math.min(r / learningRate, 1) : r;
      tensor.decay = rule.weightDecay();
    }
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
