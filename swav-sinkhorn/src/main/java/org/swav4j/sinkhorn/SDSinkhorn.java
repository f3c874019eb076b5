package org.swav4j.sinkhorn;

import java.util.Objects;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.StopGradient;

/**
 * Sinkhorn's iterations as operations of a SameDiff graph, in the manner of SameDiff's own
 * namespaces such as {@code sd.math()}. {@link NDSinkhorn} has the same operations for arrays.
 *
 * <pre>{@code
 * SDVariable codes = new SDSinkhorn(sd).codes("codes", scores, 0.05, 3);
 * SDVariable loss = codes.mul(sd.nn().logSoftmax(otherScores.div(0.1))).sum(1).mean().neg();
 * }</pre>
 *
 * <p><b>Gradient.</b> None flows through by default: codes are targets, as in SwAV, and the
 * gradient with respect to the scores that they came from is exactly 0. SameDiff still computes a
 * backward pass through the iterations and drops its result; where that costs too much, compute the
 * codes by {@link NDSinkhorn} and feed them to a placeholder. {@link #differentiable} lets the
 * gradient through every iteration (unrolled; not the implicit one of the limit).
 *
 * <p><b>Files.</b> The iterations are written with operations of SameDiff itself. So a saved graph
 * loads in any application, this library on its class path or not, and nothing needs to be
 * registered.
 *
 * <p><b>Form.</b> A graph can't look at the range of its scores, so {@link Form#AUTOMATIC} is the
 * log domain, computed in double: right at any range. {@link Form#KERNEL} is several times faster
 * and computed in the scores' type; it is for scores known to span less than 60 epsilon in float
 * (cosines at an epsilon above 1/30) or 500 in double. Beyond, it gives NaN and isn't refused.
 *
 * <p>Immutable. As any other use of a graph's builder, to be called by one thread at a time.
 */
public final class SDSinkhorn {
  private static final double LOG_OF_NOTHING = -1e300;

  private final SameDiff sd;
  private final Form form;
  private final boolean gradient;

  /**
   * Operations of this graph.
   *
   * @throws NullPointerException if {@code sd} is null
   */
  public SDSinkhorn(SameDiff sd) {
    this(Objects.requireNonNull(sd, "sd is null, expected a graph"), Form.AUTOMATIC, false);
  }

  private SDSinkhorn(SameDiff sd, Form form, boolean gradient) {
    this.sd = sd;
    this.form = form;
    this.gradient = gradient;
  }

  /** The same operations in one form. */
  public SDSinkhorn withForm(Form form) {
    return new SDSinkhorn(sd, form, gradient);
  }

  /** The same operations with a gradient through every iteration, to scores and marginals. */
  public SDSinkhorn differentiable() {
    return new SDSinkhorn(sd, form, true);
  }

  /** {@link #codes(String, SDVariable, double, int)} with a name that the graph chooses. */
  public SDVariable codes(SDVariable scores, double epsilon, int iterations) {
    return codes(null, scores, epsilon, iterations);
  }

  /**
   * SwAV's codes (arXiv 2006.09882, eq. 3-5): in turn scales columns to B/K and rows to 1.
   *
   * @param name of the result, or null
   * @param scores [B, K], FLOAT or DOUBLE; B may be unknown when the graph is built
   * @param epsilon weight of the entropy, in the unit of the scores; 0.05 is usual for cosines
   * @param iterations column-and-row updates, 3 in SwAV
   * @return codes [B, K] of the scores' type, each row with sum 1
   * @throws IllegalArgumentException if the scores are no variable of this graph or neither FLOAT
   *     nor DOUBLE, epsilon is not a finite number above 0, or iterations is below 1
   */
  public SDVariable codes(String name, SDVariable scores, double epsilon, int iterations) {
    return iterate(name, scores, null, null, epsilon, iterations);
  }

  /**
   * {@link #plan(String, SDVariable, SDVariable, SDVariable, double, int)} with a name that the
   * graph chooses.
   */
  public SDVariable plan(
      SDVariable scores,
      SDVariable rowMarginal,
      SDVariable columnMarginal,
      double epsilon,
      int iterations) {
    return plan(null, scores, rowMarginal, columnMarginal, epsilon, iterations);
  }

  /**
   * The plan of entropic optimal transport after a fixed number of iterations.
   *
   * @param name of the result, or null
   * @param scores [B, K], FLOAT or DOUBLE, large is good
   * @param rowMarginal [B] masses, none negative
   * @param columnMarginal [K] masses, none negative, with the same sum; neither is checked
   * @param epsilon weight of the entropy, in the unit of the scores
   * @param iterations column-and-row updates
   * @return the plan [B, K] of the scores' type; its rows sum to the row marginal
   * @throws IllegalArgumentException as {@link #codes(String, SDVariable, double, int)}, also of
   *     the marginals
   */
  public SDVariable plan(
      String name,
      SDVariable scores,
      SDVariable rowMarginal,
      SDVariable columnMarginal,
      double epsilon,
      int iterations) {
    check("row marginal", rowMarginal);
    check("column marginal", columnMarginal);
    return iterate(name, scores, rowMarginal, columnMarginal, epsilon, iterations);
  }

  private SDVariable iterate(
      String name,
      SDVariable scores,
      SDVariable rowMarginal,
      SDVariable columnMarginal,
      double epsilon,
      int iterations) {
    check("scores", scores);
    Checks.epsilon(epsilon);
    Checks.iterations(iterations);
    boolean kernel = form == Form.KERNEL;
    DataType type = kernel ? scores.dataType() : DataType.DOUBLE;
    // Stopped before the iterations, not behind them: there, 0 times an infinite derivative is NaN.
    SDVariable x = cast(stopped(scores), type).div(epsilon);
    SDVariable a = rowMarginal == null ? null : cast(stopped(rowMarginal), type).reshape(-1, 1);
    SDVariable b =
        columnMarginal == null ? null : cast(stopped(columnMarginal), type).reshape(1, -1);
    SDVariable result = kernel ? scalings(x, a, b, iterations) : potentials(x, a, b, iterations);
    result = cast(result, scores.dataType());
    return name == null ? result : result.rename(name);
  }

  private void check(String name, SDVariable variable) {
    if (variable == null || variable.getSameDiff() != sd) {
      throw new IllegalArgumentException(
          name
              + (variable == null ? " is null" : " \"" + variable.name() + "\" is of another graph")
              + ", expected a variable of the graph that this namespace was made for");
    }
    DataType type = variable.dataType();
    if (type != DataType.FLOAT && type != DataType.DOUBLE) {
      throw new IllegalArgumentException(
          name + " \"" + variable.name() + "\" is " + type + ", expected FLOAT or DOUBLE");
    }
  }

  private SDVariable stopped(SDVariable x) {
    return gradient ? x : constant(x);
  }

  private SDVariable constant(SDVariable x) {
    return new StopGradient(sd, x).outputVariable();
  }

  private static SDVariable cast(SDVariable x, DataType type) {
    return x.dataType() == type ? x : x.castTo(type);
  }

  /**
   * Scales exp(x). The shift is that of all x, not of each row: after a finite number of iterations
   * a shift of rows changes the plan.
   */
  private SDVariable scalings(SDVariable x, SDVariable a, SDVariable b, int iterations) {
    SDVariable p = sd.math().exp(x.sub(constant(x.max())));
    // A row without mass takes part in no column's sum.
    p = a == null ? p : p.mul(massless(a).rsub(1));
    for (int i = 0; i < iterations; i++) {
      p = scaled(p, 0, b);
      p = scaled(p, 1, a);
    }
    return p;
  }

  /** Without a mass, to 1: a factor common to all columns is lost when rows are scaled. */
  private SDVariable scaled(SDVariable p, int dimension, SDVariable mass) {
    SDVariable sums = p.sum(true, dimension);
    return mass == null ? p.div(sums) : p.mul(mass.div(sums.add(massless(mass))));
  }

  /** 1 for points of no mass, whose sums are 0, else 0. */
  private SDVariable massless(SDVariable mass) {
    return constant(mass).eq(0).castTo(mass.dataType());
  }

  /** The same of logarithms: x becomes x + f + g. */
  private SDVariable potentials(SDVariable x, SDVariable a, SDVariable b, int iterations) {
    SDVariable logA = a == null ? null : logarithm(a);
    SDVariable logB = b == null ? null : logarithm(b);
    SDVariable log = a == null ? x : x.add(massless(a).mul(LOG_OF_NOTHING));
    for (int i = 0; i < iterations; i++) {
      log = normalised(log, 0, logB);
      log = normalised(log, 1, logA);
    }
    return sd.math().exp(log);
  }

  /** Of no mass a finite one whose exponential is 0: with -infinity, differences would be NaN. */
  private SDVariable logarithm(SDVariable mass) {
    SDVariable none = massless(mass);
    return sd.math().log(mass.add(none)).add(none.mul(LOG_OF_NOTHING));
  }

  private SDVariable normalised(SDVariable x, int dimension, SDVariable logMass) {
    // The maximum cancels, and its derivative with it.
    SDVariable y = x.sub(constant(x.max(true, dimension)));
    SDVariable normal = y.sub(sd.math().log(sd.math().exp(y).sum(true, dimension)));
    return logMass == null ? normal : normal.add(logMass);
  }
}
