package org.swav4j.model.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The loss of SwAV and its gradient, as autodiff writes it, become one op (Caron et al. 2020,
 * equation 2). With t the targets, whose rows of crop v are the sum of all other crops' codes:
 *
 * <pre>
 *   z = scores / τ   l = log_softmax(z)   p = t · l   loss = c · Σ p,   c = -1 / (A (V-1) B)
 *   dp = reduce_sum_bp(p, c)   _, dl = multiply_bp(t, l, dp)   dscores = log_softmax_bp(z, dl) / τ
 * </pre>
 *
 * <p>All constants are looked at: that t holds each code once where it belongs and nowhere else,
 * that c is that factor, and that the c on the way back is the same, so that the whole's gradient
 * by this loss is 1. If one differs, or anything else reads a value in between, all stays as
 * written.
 */
public final class RecogniseSwappedPrediction implements Pass {
  @Override
  public Plan apply(Plan plan) {
    Rewriting rewriting = new Rewriting(plan);
    Readers readers = new Readers(plan);
    for (Op op : plan.ops()) {
      if (op.isNative("log_softmax")) {
        new Match(readers, op).rewrite(rewriting);
      }
    }
    return rewriting.plan();
  }

  /** The ops round one softmax. */
  private static final class Match {
    private final Readers readers;
    private final Op softmax;
    private final Value z;
    private final Value l;

    Match(Readers readers, Op softmax) {
      this.readers = readers;
      this.softmax = softmax;
      this.z = softmax.input(0);
      this.l = softmax.output();
    }

    void rewrite(Rewriting rewriting) {
      // Forward: scores → z → l → p → sum → loss.
      Op scale = readers.producer(z, "mul_scalar");
      Op product = readers.reader(l, "multiply");
      Op sum = product == null ? null : readers.reader(product.output(), "reduce_sum");
      Op factor = sum == null ? null : readers.reader(sum.output(), "mul_scalar");
      // Backward: p → dp → dl → dz → dscores.
      Op sumBp = product == null ? null : readers.reader(product.output(), "reduce_sum_bp");
      Op productBp = sumBp == null ? null : readers.reader(sumBp.output(), "multiply_bp");
      Op softmaxBp = readers.reader(z, "log_softmax_bp");
      Op scaleBp = softmaxBp == null ? null : readers.reader(softmaxBp.output(), "mul_scalar");
      if (scale == null || factor == null || productBp == null || scaleBp == null) {
        return;
      }
      Value scores = scale.input(0);
      int side = product.input(1) == l ? 1 : 0;
      Value targets = product.input(1 - side);
      double c = factor.arguments().nativeOp().scalar();
      boolean written =
          scores.rank() == 2
              && isOverRows(softmax)
              && isOverRows(softmaxBp)
              && targets.sameShape(scores)
              && sum.arguments().nativeOp().reducesAll()
              && sumBp.arguments().nativeOp().reducesAll()
              && sumBp.input(1).isNumber(c)
              && productBp
                  .inputs()
                  .equals(List.of(product.input(0), product.input(1), sumBp.output()))
              && softmaxBp.inputs().equals(List.of(z, productBp.output(side)))
              && scaleBp.arguments().nativeOp().scalar() == scale.arguments().nativeOp().scalar();
      Set<Op> ops =
          Set.of(scale, softmax, product, sum, factor, sumBp, productBp, softmaxBp, scaleBp);
      List<Value> inner =
          List.of(
              z,
              l,
              product.output(),
              sum.output(),
              sumBp.output(),
              productBp.output(0),
              productBp.output(1),
              softmaxBp.output());
      Targets t = written ? Targets.of(targets, readers) : null;
      if (t == null || !t.isFactor(c, scores.type()) || !readers.areRead(inner, ops)) {
        return;
      }
      rewriting.remove(ops);
      rewriting.replace(
          factor,
          new Op(
              OpType.SWAPPED_PREDICTION,
              List.of(scores, t.codes),
              List.of(factor.output(), scaleBp.output()),
              Arguments.prediction(
                  t.views,
                  t.assigning,
                  temperature(scale.arguments().nativeOp().scalar(), z.type()))));
    }

    /** Softmax over the last dimension of two: said so, or by default. */
    private static boolean isOverRows(Op op) {
      long[] i = op.arguments().nativeOp().integers();
      return i.length == 0 || (i.length == 1 && (i[0] == 1 || i[0] == -1));
    }
  }

  /** τ from its inverse: the shortest decimal that has it, for the graph may hold it as a float. */
  private static double temperature(double inverse, DataType type) {
    double decimal = Double.parseDouble(Float.toString((float) (1 / inverse)));
    double again = type == DataType.FLOAT ? (float) (1 / decimal) : 1 / decimal;
    return again == inverse ? decimal : 1 / inverse;
  }

  /** Codes laid out as targets. */
  private record Targets(Value codes, int views, int assigning, long batch) {
    /** The targets that a value is, or null if it isn't targets of all pairs of crops. */
    static Targets of(Value v, Readers readers) {
      Op join = readers.producer(v);
      if (join == null || join.type() != OpType.CONCAT_ROWS) {
        return null;
      }
      long batch = join.input(0).size(0);
      List<Map<Value, Set<Long>>> parts = new ArrayList<>();
      for (Value part : join.inputs()) {
        Map<Value, Set<Long>> rows = new HashMap<>();
        if (part.size(0) != batch || !collect(part, readers, rows)) {
          return null;
        }
        parts.add(rows);
      }
      Set<Value> sources = new HashSet<>();
      parts.forEach(rows -> sources.addAll(rows.keySet()));
      if (sources.size() != 1) {
        return null;
      }
      Value codes = sources.iterator().next();
      if (codes.size(0) % batch != 0) {
        return null;
      }
      Targets t = new Targets(codes, parts.size(), Math.toIntExact(codes.size(0) / batch), batch);
      for (int crop = 0; crop < t.views; crop++) {
        if (!parts.get(crop).getOrDefault(codes, Set.of()).equals(t.startsBut(crop))) {
          return null;
        }
      }
      return t;
    }

    /** Which rows of what, from which on, are added up in a value; false if one is twice. */
    private static boolean collect(Value v, Readers readers, Map<Value, Set<Long>> rows) {
      Op op = readers.producer(v);
      if (op != null && op.type() == OpType.ADD && op.input(0).sameShape(op.input(1))) {
        return !op.arguments().relu()
            && collect(op.input(0), readers, rows)
            && collect(op.input(1), readers, rows);
      }
      if (v.kind() == Value.Kind.CONSTANT) {
        return v.array().amaxNumber().doubleValue() == 0;
      }
      boolean slice = op != null && op.type() == OpType.ROWS;
      return rows.computeIfAbsent(slice ? op.input(0) : v, k -> new HashSet<>())
          .add(slice ? op.arguments().start() : 0);
    }

    private Set<Long> startsBut(int crop) {
      Set<Long> starts = new HashSet<>();
      for (int i = 0; i < assigning; i++) {
        if (i != crop) {
          starts.add(i * batch);
        }
      }
      return starts;
    }

    /** Whether it is -1 / (A (V-1) B) but for its type's rounding. */
    boolean isFactor(double c, DataType type) {
      double terms = (double) assigning * (views - 1) * batch;
      return Math.abs(c * terms + 1) < (type == DataType.DOUBLE ? 1e-14 : 1e-7);
    }
  }
}
