package org.swav4j.train.advice;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a run's numbers say of it, in a word. Each that is not well has one knob to turn. */
public enum HealthState {
  /** Too early to tell. */
  STARTING,
  /** Nothing is amiss. */
  HEALTHY,
  /** The crops show nothing: no pixel differs from its neighbours. */
  BLANK,
  /** Embeddings or prototypes are not of unit length. */
  UNNORMALISED,
  /** The trunk's weights don't move at all. */
  FROZEN,
  /** There are fewer samples than prototypes, B + L &lt; K. */
  STARVED,
  /** Codes say nothing: each image is given to all prototypes alike. */
  UNIFORM,
  /** The loss stays at chance because the weights hardly move: the learning rate is too low. */
  SLOW,
  /** The loss stays at chance. */
  STUCK,
  /** The loss was lower before. */
  UNSTABLE,
  /** The loss is far above chance: the learning rate is too high. */
  DIVERGED,
  /** The embeddings of all images are nearly equal. */
  COLLAPSED,
  /** Most images have the same prototype. */
  COLLAPSING,
  /** Many prototypes are copies of others. */
  COPIES,
  /** The crops of an image are so alike that nothing is learned from telling them apart. */
  EASY,
  /** Features tell classes apart worse than those of the untrained network. */
  WORSE;

  /** As it is shown: {@code collapsed}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The state of a label; empty if it is none. */
  static Optional<HealthState> of(String label) {
    return Arrays.stream(values()).filter(state -> state.label().equals(label)).findFirst();
  }

  /** Whether something should be done about it. */
  public boolean amiss() {
    return this != STARTING && this != HEALTHY;
  }
}
