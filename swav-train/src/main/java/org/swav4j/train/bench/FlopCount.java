package org.swav4j.train.bench;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * Floating-point operations of a plan's convolutions and matrix products, counted as in a direct
 * convolution: 2 · outputs · inputs of each. Padding counts, whatever is not a product does not,
 * nor does a gradient that nobody reads.
 *
 * @param forward operations up to the codes
 * @param backward operations after them
 */
public record FlopCount(long forward, long backward) {
  /** Counts a plan's operations. */
  public static FlopCount of(Plan plan) {
    Set<Value> read = wanted(plan);
    return new FlopCount(
        plan.forward().stream().mapToLong(op -> of(op, read)).sum(),
        plan.backward().stream().mapToLong(op -> of(op, read)).sum());
  }

  /** Of each op of a plan, in order. */
  public static List<Long> ofEach(Plan plan) {
    Set<Value> read = wanted(plan);
    return plan.ops().stream().map(op -> of(op, read)).toList();
  }

  /** Values that an op or the caller reads. */
  static Set<Value> wanted(Plan plan) {
    Set<Value> read = Collections.newSetFromMap(new IdentityHashMap<>());
    plan.ops().forEach(op -> read.addAll(op.inputs()));
    read.addAll(plan.outputs());
    return read;
  }

  static long of(Op op, Set<Value> read) {
    return switch (op.type()) {
      case CONV2D -> convolution(op.output(), op.input(1));
      case CONV2D_BP -> {
        long one = convolution(op.input(2), op.input(1));
        yield op.outputs().stream().filter(read::contains).count() * one;
      }
      case MATMUL -> {
        Value a = op.input(0);
        yield 2 * op.output().length() * a.size(op.arguments().transposeA() ? 0 : 1);
      }
      default -> 0;
    };
  }

  /** y [N,O,H,W] made of w [kH,kW,C,O]: every y is a sum of kH·kW·C products. */
  private static long convolution(Value y, Value w) {
    return 2 * y.length() * (w.length() / w.size(3));
  }

  /** All of them. */
  public long total() {
    return forward + backward;
  }
}
