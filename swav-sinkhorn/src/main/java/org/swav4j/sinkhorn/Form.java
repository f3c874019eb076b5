package org.swav4j.sinkhorn;

/** How the iterations are computed; the result is the same. */
public enum Form {
  /** The kernel form where the data's range lets it be accurate, else the log domain. */
  AUTOMATIC,
  /**
   * Scalings of K = exp(scores/epsilon). Refused with an {@link IllegalArgumentException} where it
   * would lose accuracy.
   */
  KERNEL,
  /** Potentials and log-sum-exps: accurate at any range, slower. */
  LOG_DOMAIN
}
