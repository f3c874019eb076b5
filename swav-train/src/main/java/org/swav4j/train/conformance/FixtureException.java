package org.swav4j.train.conformance;

/** A fixture file that can't be read or isn't in its format; the message is for people. */
final class FixtureException extends RuntimeException {
  private static final long serialVersionUID = 1;

  FixtureException(String message) {
    super(message);
  }
}
