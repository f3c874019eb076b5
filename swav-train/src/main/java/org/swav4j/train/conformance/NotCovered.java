package org.swav4j.train.conformance;

/** Ends a case that the product has no counterpart for; the message says what it lacks. */
final class NotCovered extends Exception {
  private static final long serialVersionUID = 1;

  NotCovered(String message) {
    super(message);
  }
}
