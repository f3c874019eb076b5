package org.swav4j.train.conformance;

import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;

/** What numbers are computed in, and how close they must come. */
enum Arithmetic {
  FLOAT(DataType.FLOAT, "f32", new Tolerance(2e-5, 1), new Tolerance(1e-5, 0)),
  DOUBLE(DataType.DOUBLE, "f64", new Tolerance(1e-9, 1), new Tolerance(1e-9, 1));

  private final DataType type;
  private final String key;
  private final Tolerance codes;
  private final Tolerance numbers;

  Arithmetic(DataType type, String key, Tolerance codes, Tolerance numbers) {
    this.type = type;
    this.key = key;
    this.codes = codes;
    this.numbers = numbers;
  }

  /**
   * Greatest difference allowed, as a share of the expected array's largest magnitude.
   *
   * @param share above 0
   * @param floor the least magnitude to take the share of: 1 makes the bound absolute for values up
   *     to 1
   */
  record Tolerance(double share, double floor) {
    /** Below this an array counts as zero, and there is nothing to be relative to. */
    private static final double ZERO = 1e-6;

    /** What differences are divided by, given the largest magnitude expected. */
    double scale(double largest) {
      return largest < ZERO ? 1 : Math.max(floor, largest);
    }
  }

  DataType type() {
    return type;
  }

  /** What the fixtures call it: {@code f32} or {@code f64}. */
  String key() {
    return key;
  }

  /** For codes and other shares of 1. */
  Tolerance codes() {
    return codes;
  }

  /** For everything else. */
  Tolerance numbers() {
    return numbers;
  }

  /** {@code float} or {@code double}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
