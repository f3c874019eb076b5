package org.swav4j.train.optimiser;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Turns gradients into a change of the parameters, in place. An optimiser belongs to one training
 * run; it is not thread-safe.
 */
public interface Optimiser {
  /**
   * One update of every parameter that has a gradient.
   *
   * @param parameters the network's arrays by name, float or double; changed in place
   * @param gradients arrays of the same names, types and shapes; a parameter without one is frozen:
   *     no update, no decay, and its momentum stays as it is
   * @param learningRate of this step, at least 0
   * @throws IllegalArgumentException if a gradient has no parameter or another shape, or the
   *     learning rate is negative or not a number
   * @throws ArithmeticException if a gradient is not finite, or a parameter whose norm the rule
   *     needs; parameters that come before it in the map have been updated
   */
  void step(Map<String, INDArray> parameters, Map<String, INDArray> gradients, double learningRate);

  /** The momentum by parameter name, for checkpoints: the live arrays, not copies. */
  Map<String, INDArray> state();

  /**
   * Continues from a {@link #state()}: what was there is forgotten, the arrays are copied.
   *
   * @throws IllegalArgumentException at the next step if an array does not fit its parameter
   */
  void restore(Map<String, INDArray> state);
}
