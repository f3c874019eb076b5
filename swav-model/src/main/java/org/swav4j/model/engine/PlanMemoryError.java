package org.swav4j.model.engine;

import java.util.Locale;

/** A plan needs more memory at once than the system gives. */
public final class PlanMemoryError extends OutOfMemoryError {
  private static final long serialVersionUID = 1L;

  private final long bytes;

  /**
   * A refusal.
   *
   * @param bytes that were asked for
   */
  public PlanMemoryError(long bytes) {
    super(
        String.format(
            Locale.ROOT,
            "a plan needs %d MB of memory at once, more than the system gives: use a smaller batch,"
                + " or smaller or fewer crops",
            bytes >> 20));
    this.bytes = bytes;
  }

  /** Bytes that were asked for. */
  public long bytes() {
    return bytes;
  }
}
