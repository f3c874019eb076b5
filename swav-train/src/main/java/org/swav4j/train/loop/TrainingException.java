package org.swav4j.train.loop;

/**
 * Something that was asked for rightly could not be done: a loss that is no number, a checkpoint
 * that does not fit, a back end that does not start. The message is one line and says what to do.
 */
public final class TrainingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With what was wrong, the value, what was expected and what to do. */
  public TrainingException(String message) {
    super(message);
  }

  /** The same, with what brought it about; may be null. */
  public TrainingException(String message, Throwable cause) {
    super(message, cause);
  }
}
