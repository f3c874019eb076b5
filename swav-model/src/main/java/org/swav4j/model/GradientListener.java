package org.swav4j.model;

/**
 * Is told in the midst of a step that a gradient is final, while the backward pass goes on with
 * those of earlier layers. Of a batch in parts that is in the last of them.
 */
@FunctionalInterface
public interface GradientListener {
  /**
   * A gradient is final: the step doesn't look at its array again, which may be changed from now
   * on, by another thread too. Called by the thread that runs the step, for each gradient once a
   * step, in the order of {@link TrainingStep#finalOrder}.
   *
   * @param name of the parameter
   */
  void isFinal(String name);

  /** Nobody; nothing is added to a step for it. */
  static GradientListener none() {
    return None.INSTANCE;
  }

  /** Nobody listens. */
  enum None implements GradientListener {
    INSTANCE;

    @Override
    public void isFinal(String name) {}
  }
}
