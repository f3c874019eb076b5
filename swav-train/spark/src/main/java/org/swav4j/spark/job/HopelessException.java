package org.swav4j.spark.job;

/** A failure that would come again: the job is not started anew after it. */
final class HopelessException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  HopelessException(String message, Throwable cause) {
    super(message, cause);
  }
}
