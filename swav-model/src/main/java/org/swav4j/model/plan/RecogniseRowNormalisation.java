package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code y = x / max(√(Σ x² over each row), 1e-12)} becomes one op, and its gradient, as autodiff
 * writes it, another:
 *
 * <pre>
 *   n = reduce_sqnorm(x)   s = sqrt(n)   m = maximum(s, 1e-12)   y = divide(x, m)
 *   g, dm = divide_bp(x, m, dy)          ds, _ = maximum_bp(s, 1e-12, dm)
 *   dx = g + reduce_sqnorm_bp(x, ½ n^(-½) · ds)
 * </pre>
 *
 * <p>Only as a whole: if anything else reads n, s or m, or their gradients, all stays as written.
 * The numbers are equal but for rounding, and for rows of zeros, whose gradient as written is 0·∞.
 */
public final class RecogniseRowNormalisation implements Pass {
  private static final double SMALLEST_NORM = 1e-12;

  @Override
  public Plan apply(Plan plan) {
    Rewriting rewriting = new Rewriting(plan);
    Readers readers = new Readers(plan);
    for (Op op : plan.ops()) {
      if (op.isNative("divide")) {
        new Match(readers, op).rewrite(rewriting);
      }
    }
    return rewriting.plan();
  }

  /** The ops round one division. */
  private static final class Match {
    private final Readers readers;
    private final Op divide;
    private final Value x;
    private final Set<Op> forward = new HashSet<>();
    private final Set<Op> backward = new HashSet<>();

    /** What adds up the two ways the gradient takes. */
    private Op sumOfBoth;

    Match(Readers readers, Op divide) {
      this.readers = readers;
      this.divide = divide;
      this.x = divide.input(0);
    }

    void rewrite(Rewriting rewriting) {
      Value m = divide.input(1);
      Op maximum = readers.producer(m, "maximum");
      Value s = maximum == null ? null : maximum.input(0);
      Op sqrt = readers.producer(s, "sqrt");
      Value n = sqrt == null ? null : sqrt.input(0);
      Op norm = readers.producer(n, "reduce_sqnorm");
      boolean written =
          norm != null
              && x.rank() == 2
              && norm.input(0) == x
              && norm.arguments().nativeOp().reduces(true, 1)
              && maximum.input(1).isNumber(SMALLEST_NORM);
      if (!written) {
        return;
      }
      forward.addAll(List.of(divide, maximum, sqrt, norm));
      Op normalise =
          new Op(OpType.NORMALIZE_ROWS, List.of(x), List.of(divide.output()), Arguments.NONE);
      if (readers.areRead(List.of(n, s, m), forward)) {
        rewriting.remove(forward);
        rewriting.replace(divide, normalise);
        return;
      }
      Op gradient = gradient(m, s, n, maximum.input(1));
      if (gradient != null) {
        rewriting.remove(forward);
        rewriting.replace(divide, normalise);
        rewriting.remove(backward);
        rewriting.replace(sumOfBoth, gradient);
      }
    }

    /** The gradient's ops, collected, as one op; null if they aren't all there, and no others. */
    private Op gradient(Value m, Value s, Value n, Value smallest) {
      Op divideBp = readers.reader(m, "divide_bp");
      Op maximumBp = readers.reader(s, "maximum_bp");
      Op power = readers.reader(n, "pow");
      if (divideBp == null || maximumBp == null || power == null) {
        return null;
      }
      Value dy = divideBp.input(2);
      Op half = readers.reader(power.output(), "mul_scalar");
      Op product = half == null ? null : readers.reader(half.output(), "multiply");
      Op normBp = product == null ? null : readers.reader(product.output(), "reduce_sqnorm_bp");
      boolean written =
          normBp != null
              && divideBp.inputs().equals(List.of(x, m, dy))
              && maximumBp.inputs().equals(List.of(s, smallest, divideBp.output(1)))
              && power.arguments().nativeOp().scalar() == -0.5
              && half.arguments().nativeOp().scalar() == 0.5
              && product.inputs().equals(List.of(half.output(), maximumBp.output(0)))
              && normBp.inputs().equals(List.of(x, product.output()))
              && normBp.arguments().nativeOp().reduces(true, 1);
      if (!written) {
        return null;
      }
      Value direct = divideBp.output(0);
      Value through = normBp.output();
      List<Op> sums = readers.of(through);
      if (sums.size() != 1
          || sums.get(0).type() != OpType.ADD
          || sums.get(0).arguments().relu()
          || !sums.get(0).inputs().contains(direct)) {
        return null;
      }
      sumOfBoth = sums.get(0);
      backward.addAll(List.of(divideBp, maximumBp, power, half, product, normBp, sumOfBoth));
      Set<Op> all = new HashSet<>(forward);
      all.addAll(backward);
      List<Value> inner = new ArrayList<>(List.of(m, s, n, direct, through));
      inner.addAll(List.of(divideBp.output(1), maximumBp.output(0), maximumBp.output(1)));
      inner.addAll(List.of(power.output(), half.output(), product.output()));
      return readers.areRead(inner, all)
          ? new Op(
              OpType.NORMALIZE_ROWS_BP,
              List.of(x, divide.output(), dy),
              List.of(sumOfBoth.output()),
              Arguments.NONE)
          : null;
    }
  }
}
