package org.swav4j.train.conformance;

import java.util.Locale;

/**
 * What came of one file in one precision, or one thing in it that was not checked.
 *
 * @param file name within the folder
 * @param status what it came to
 * @param precision {@code float} or {@code double}; empty if nothing was computed
 * @param engine what ran the layers; empty if no engine takes part
 * @param cases cases compared
 * @param checks arrays and numbers compared
 * @param difference of the check that came nearest to its tolerance, or is furthest beyond it: the
 *     greatest difference of an element as a share of the largest expected magnitude
 * @param tolerance of that check, in the same unit
 * @param detail the check meant, or the reason
 */
public record Outcome(
    String file,
    Status status,
    String precision,
    String engine,
    int cases,
    int checks,
    double difference,
    double tolerance,
    String detail) {

  /** What a line of the report says. */
  public enum Status {
    /** Every check within its tolerance. */
    OK,
    /** At least one check beyond its tolerance. */
    FAILED,
    /** Not checked, for the reason given. */
    NOT_COVERED,
    /** The file is broken or not in its format. */
    UNREADABLE;

    /** {@code ok}, {@code failed}, {@code not covered} or {@code unreadable}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  static Outcome notCovered(String file, String reason) {
    return new Outcome(file, Status.NOT_COVERED, "", "", 0, 0, 0, 0, reason);
  }

  static Outcome unreadable(String file, String reason) {
    return new Outcome(file, Status.UNREADABLE, "", "", 0, 0, 0, 0, reason);
  }
}
