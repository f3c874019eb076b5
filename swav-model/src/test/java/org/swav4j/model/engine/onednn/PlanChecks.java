package org.swav4j.model.engine.onednn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/** Plans made by hand, and their results against {@link ReferenceInterpreter}'s. */
final class PlanChecks {
  private final Random random = new Random(42);
  private final List<Value> inputs = new ArrayList<>();
  private final List<Op> forward = new ArrayList<>();
  private final List<Op> backward = new ArrayList<>();
  private final Map<Value, double[]> given = new HashMap<>();
  private boolean goingBack;
  private int names;

  Value input(long... shape) {
    return input(random(1, shape), shape);
  }

  Value input(INDArray elements, long... shape) {
    Value v = Value.input("in" + names++, DataType.FLOAT, shape);
    inputs.add(v);
    given.put(v, elements.data().asDouble());
    return v;
  }

  Value parameter(long... shape) {
    return Value.parameter("p" + names++, random(0.5, shape));
  }

  Value constant(long... shape) {
    return Value.constant("c" + names++, random(0.5, shape));
  }

  INDArray random(double scale, long... shape) {
    INDArray a = Nd4j.create(DataType.FLOAT, shape);
    for (long i = 0; i < a.length(); i++) {
      a.data().put(i, (float) (scale * random.nextGaussian()));
    }
    return a;
  }

  Value result(long... shape) {
    return Value.result("r" + names++, DataType.FLOAT, shape);
  }

  /** Rows that are probabilities. */
  INDArray codes(long rows, long k) {
    INDArray q = random(1, rows, k);
    q = org.nd4j.linalg.ops.transforms.Transforms.exp(q, false);
    return q.divColumnVector(q.sum(1)).dup('c');
  }

  void codes() {
    goingBack = true;
  }

  Op op(OpType type, Arguments arguments, List<Value> in, Value... out) {
    Op op = new Op(type, in, List.of(out), arguments);
    (goingBack ? backward : forward).add(op);
    return op;
  }

  Value convolution(Value x, Value w, int stride, int padding) {
    long k = w.size(0);
    Value y =
        result(
            x.size(0),
            w.size(3),
            (x.size(2) + 2L * padding - k) / stride + 1,
            (x.size(3) + 2L * padding - k) / stride + 1);
    op(OpType.CONV2D, Arguments.window((int) k, stride, padding), List.of(x, w), y);
    return y;
  }

  /** A convolution of n images with c channels to o, forward and backward. */
  Plan convolutionBothWays(int n, int c, int o, int k, int stride, int padding, int h, int w) {
    Value x = input(n, c, h, w);
    Value weights = parameter(k, k, c, o);
    Value y = convolution(x, weights, stride, padding);
    Value dy = input(y.shape());
    Value dx = result(x.shape());
    Value dw = result(weights.shape());
    codes();
    op(OpType.CONV2D_BP, Arguments.window(k, stride, padding), List.of(x, weights, dy), dx, dw);
    return plan(y, dx, dw);
  }

  Plan plan(Value... outputs) {
    return new Plan(inputs, List.of(outputs), forward, backward);
  }

  /**
   * Runs the plan twice and asserts that each output is the reference's within a tolerance relative
   * to its largest element.
   */
  void assertMatches(Engine engine, double tolerance, Plan plan) {
    ReferenceInterpreter reference = new ReferenceInterpreter();
    given.forEach(reference::set);
    reference.run(plan);
    try (Execution execution = engine.prepare(plan)) {
      for (int run = 0; run < 2; run++) {
        for (Value v : plan.inputs()) {
          fill(execution.array(v), given.get(v));
        }
        execution.forward();
        execution.backward();
        for (Value v : plan.outputs()) {
          assertClose(v, execution.array(v).data().asDouble(), reference.get(v), tolerance);
        }
      }
      assertThat(execution.profile()).isNotEmpty();
      for (Value v : plan.outputs()) {
        assertClose(v, execution.array(v).data().asDouble(), reference.get(v), tolerance);
      }
    }
  }

  void fillInputs(Execution execution, Plan plan) {
    plan.inputs().forEach(v -> fill(execution.array(v), given.get(v)));
  }

  private static void fill(INDArray array, double[] elements) {
    for (int i = 0; i < elements.length; i++) {
      array.data().put(i, (float) elements[i]);
    }
  }

  static void assertClose(Value v, double[] actual, double[] expected, double tolerance) {
    assertThat(actual).as("%s", v).hasSameSizeAs(expected);
    double largest = 1e-30;
    double difference = 0;
    for (int i = 0; i < actual.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      double d = Math.abs(actual[i] - expected[i]);
      difference = Double.isNaN(d) ? Double.NaN : Math.max(difference, d);
    }
    assertThat(difference / largest)
        .as("largest difference of %s relative to %s", v, largest)
        .isLessThanOrEqualTo(tolerance);
  }
}
