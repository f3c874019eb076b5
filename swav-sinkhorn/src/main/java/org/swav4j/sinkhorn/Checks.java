package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.reduce.longer.MatchCondition;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.conditions.Conditions;

/** Refusals with their reasons, shared by the public types. */
final class Checks {
  private Checks() {}

  static void matrix(String name, INDArray array) {
    if (array == null) {
      throw new IllegalArgumentException(name + " is null, expected an array [B, K]");
    }
    if (array.rank() != 2 || array.isEmpty()) {
      throw new IllegalArgumentException(
          name
              + " has shape "
              + java.util.Arrays.toString(array.shape())
              + ", expected [B, K] with at least one sample and one prototype");
    }
    if (!array.dataType().isFPType()) {
      throw new IllegalArgumentException(
          name + " is of type " + array.dataType() + ", expected FLOAT or DOUBLE");
    }
  }

  static void epsilon(double epsilon) {
    if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
      throw new IllegalArgumentException(
          "epsilon is "
              + epsilon
              + ", expected a finite number above 0, in the unit of the scores: 0.05 is usual for"
              + " cosines");
    }
  }

  static void iterations(int iterations) {
    if (iterations < 1) {
      throw new IllegalArgumentException(
          "iterations is "
              + iterations
              + ", expected at least 1 (3 is usual): without one the rows would not sum to 1");
    }
  }

  static double[] vector(String name, INDArray array) {
    if (array == null || !array.isVectorOrScalar()) {
      throw new IllegalArgumentException(
          name
              + (array == null
                  ? " is null"
                  : " has shape " + java.util.Arrays.toString(array.shape()))
              + ", expected one mass per point");
    }
    return array.castTo(DataType.DOUBLE).toDoubleVector();
  }

  static double[] marginal(String name, double[] mass, int length) {
    if (mass.length != length) {
      throw new IllegalArgumentException(
          name + " has " + mass.length + " entries, expected " + length + ", one per point");
    }
    double sum = 0;
    for (int i = 0; i < length; i++) {
      if (!(mass[i] >= 0) || Double.isInfinite(mass[i])) {
        throw new IllegalArgumentException(
            name + "[" + i + "] is " + mass[i] + ", expected a finite mass of at least 0");
      }
      sum += mass[i];
    }
    if (!(sum > 0)) {
      throw new IllegalArgumentException(name + " is 0 everywhere, expected some mass to move");
    }
    return mass.clone();
  }

  static void finite(INDArray scores) {
    if (countNotFinite(scores) > 0) {
      throw notFinite(scores);
    }
  }

  static long countNotFinite(INDArray scores) {
    return Nd4j.getExecutioner()
        .exec(new MatchCondition(scores, Conditions.notFinite()))
        .getLong(0);
  }

  /** The error for scores known to hold a NaN or an infinity, of any shard; names the first. */
  static IllegalArgumentException notFinite(INDArray scores) {
    int bad = 0;
    String first = null;
    for (int i = 0; i < scores.rows(); i++) {
      for (int k = 0; k < scores.columns(); k++) {
        double s = scores.getDouble(i, k);
        if (!Double.isFinite(s)) {
          bad++;
          if (first == null) {
            first = "scores[" + i + ", " + k + "] is " + s;
          }
        }
      }
    }
    if (first == null) {
      return new IllegalArgumentException(
          "a score of another shard is not finite, expected finite scores: that shard's own error"
              + " names it");
    }
    return new IllegalArgumentException(
        first
            + " ("
            + bad
            + " of "
            + scores.length()
            + " are not finite), expected finite scores: are features L2-normalised before the"
            + " prototype layer, and did the previous step leave finite weights (learning rate)?");
  }
}
