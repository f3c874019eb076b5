package org.swav4j.train.conformance;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.train.conformance.Arithmetic.Tolerance;
import org.swav4j.train.conformance.Outcome.Status;

/** Collects the checks of one file in one arithmetic. */
final class Comparisons {
  /** The body of a case. */
  interface Case {
    void run() throws NotCovered;
  }

  private final Arithmetic arithmetic;
  private final Set<String> gaps = new LinkedHashSet<>();
  private final Set<String> failed = new LinkedHashSet<>();
  private String current = "";
  private int cases;
  private int checks;
  private double worst = -1;
  private double difference;
  private double tolerance;
  private String detail = "";

  Comparisons(Arithmetic arithmetic) {
    this.arithmetic = arithmetic;
  }

  Arithmetic arithmetic() {
    return arithmetic;
  }

  /** Runs a case; an argument that the product refuses is a failure of the case. */
  void run(String name, Case body) {
    current = name;
    int before = checks;
    try {
      body.run();
    } catch (NotCovered e) {
      gaps.add(name + ": " + e.getMessage());
    } catch (IllegalArgumentException | IllegalStateException | UnsupportedOperationException e) {
      record("refused: " + e.getMessage(), Double.POSITIVE_INFINITY, arithmetic.numbers().share());
    }
    cases += checks > before ? 1 : 0;
  }

  /** Notes something in the file that is not checked. */
  void gap(String what) {
    gaps.add(what);
  }

  /** Compares codes, or other shares of 1. */
  void codes(String what, INDArray actual, INDArray expected) {
    compare(what, actual, expected, arithmetic.codes());
  }

  /** Compares anything else. */
  void values(String what, INDArray actual, INDArray expected) {
    compare(what, actual, expected, arithmetic.numbers());
  }

  /** Compares a number. */
  void value(String what, double actual, double expected) {
    value(what, actual, expected, arithmetic.numbers());
  }

  /** Compares a number with a tolerance of its own. */
  void value(String what, double actual, double expected, Tolerance tolerance) {
    record(what, difference(actual, expected, tolerance), tolerance.share());
  }

  /**
   * Compares a number that is recorded with so few digits that its difference says nothing as long
   * as it is within the tolerance.
   */
  void rounded(String what, double actual, double expected, Tolerance tolerance) {
    double d = difference(actual, expected, tolerance);
    record(what, d <= tolerance.share() ? 0 : d, tolerance.share());
  }

  private static double difference(double actual, double expected, Tolerance tolerance) {
    return Math.abs(actual - expected) / tolerance.scale(Math.abs(expected));
  }

  /** Checks something that is right or wrong. */
  void same(String what, boolean right) {
    record(what, right ? 0 : Double.POSITIVE_INFINITY, arithmetic.numbers().share());
  }

  /** Compares arrays. */
  void compare(String what, INDArray actual, INDArray expected, Tolerance tolerance) {
    if (!Arrays.equals(actual.shape(), expected.shape())) {
      same(what + " of shape " + shape(actual) + " instead of " + shape(expected), false);
      return;
    }
    double[] a = flat(actual);
    double[] e = flat(expected);
    double largest = 0;
    double furthest = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs(e[i]));
      double d = Math.abs(a[i] - e[i]);
      // NaN compares false with everything: it must not get lost here.
      furthest = d <= furthest ? furthest : Double.isNaN(d) ? Double.POSITIVE_INFINITY : d;
    }
    record(what, furthest / tolerance.scale(largest), tolerance.share());
  }

  private static double[] flat(INDArray array) {
    return array.castTo(DataType.DOUBLE).dup('c').reshape(-1).toDoubleVector();
  }

  private static String shape(INDArray array) {
    return Arrays.toString(array.shape());
  }

  private void record(String what, double d, double allowed) {
    checks++;
    double ratio = Double.isNaN(d) ? Double.POSITIVE_INFINITY : d / allowed;
    if (ratio > 1) {
      failed.add(current);
    }
    if (ratio > worst) {
      worst = ratio;
      difference = Double.isNaN(d) ? Double.POSITIVE_INFINITY : d;
      tolerance = allowed;
      detail = current + ": " + what;
    }
  }

  /** What is not checked, so far. */
  Set<String> gaps() {
    return gaps;
  }

  /** The sum of it. */
  Outcome outcome(String file, String engine) {
    Status status = failed.isEmpty() ? Status.OK : Status.FAILED;
    String more =
        failed.size() < 2
            ? ""
            : String.format(
                Locale.ROOT, " (%d of %d cases fail: %s)", failed.size(), cases, listed());
    return new Outcome(
        file,
        status,
        arithmetic.toString(),
        engine,
        cases,
        checks,
        difference,
        tolerance,
        detail + more);
  }

  private String listed() {
    String all = String.join(", ", failed.stream().limit(5).toList());
    return failed.size() > 5 ? all + ", ..." : all;
  }

  /** Whether anything was compared. */
  boolean any() {
    return checks > 0;
  }
}
