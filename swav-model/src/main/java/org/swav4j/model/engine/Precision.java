package org.swav4j.model.engine;

import java.util.Locale;

/** In what arithmetic the hidden activations of a plan are held. */
public enum Precision {
  /** Everything in 32-bit floats. */
  FLOAT,
  /**
   * Activations and the working copies of weights in bfloat16; statistics, gradients of parameters,
   * codes, scores, loss and update in 32-bit floats.
   */
  BF16;

  /** What the command line calls it: {@code float} or {@code bf16}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The precision of that label.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Precision of(String label) {
    for (Precision p : values()) {
      if (p.label().equalsIgnoreCase(label)) {
        return p;
      }
    }
    throw new IllegalArgumentException(
        "precision \""
            + label
            + "\" is unknown: write float or bf16 (bf16 needs the oneDNN engine"
            + " and a processor with AVX512-BF16 or AMX)");
  }
}
