package org.swav4j.train.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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

/**
 * The most arithmetic an engine gets out of this machine: the fastest of a few convolutions and
 * matrix products that are large, regular and computed directly (none is a 3×3 convolution of
 * stride 1, which Winograd's algorithm computes with fewer operations than are counted).
 *
 * @param gflops 10⁹ operations a second
 * @param by which one it was
 */
public record Peak(double gflops, String by) {
  private static final int ROUNDS = 6;

  /** Links of the chain; only those inside it, whose neighbours have its layout, are timed. */
  private static final int LINKS = 4;

  /** Takes about a second and 200 MB. */
  public static Peak measure(Engine engine) {
    Peak best = new Peak(0, "nothing");
    for (Candidate c : candidates()) {
      double gflops = c.measure(engine);
      if (gflops > best.gflops) {
        best = new Peak(gflops, c.name);
      }
    }
    return best;
  }

  private static List<Candidate> candidates() {
    return List.of(
        convolution("convolution 1x1, 256 to 256, 32², batch 32", 1, 256, 32, 32),
        convolution("convolution 5x5, 128 to 128, 16², batch 32", 5, 128, 16, 32),
        product("matrix product 1024³", 1024),
        product("matrix product 2048³", 2048));
  }

  private record Candidate(String name, Plan plan) {
    double measure(Engine engine) {
      List<Op> ops = plan.forward();
      Set<Value> read = FlopCount.wanted(plan);
      double best = 0;
      try (Execution execution = engine.prepare(plan)) {
        execution.array(plan.inputs().get(0)).assign(1);
        for (int round = 0; round < ROUNDS; round++) {
          List<Execution.Timing> timings = execution.profile();
          for (Op op : ops.subList(1, ops.size() - 1)) {
            long time =
                timings.stream()
                    .filter(t -> t.op() == op && t.work() == Execution.Work.ARITHMETIC)
                    .mapToLong(Execution.Timing::nanoseconds)
                    .sum();
            best = Math.max(best, FlopCount.of(op, read) / (double) time);
          }
        }
      } finally {
        ops.forEach(op -> op.input(1).array().close());
      }
      return best;
    }
  }

  private static Candidate convolution(String name, int kernel, int planes, int side, int batch) {
    long[] image = {batch, planes, side, side};
    long[] weights = {kernel, kernel, planes, planes};
    Arguments window = Arguments.window(kernel, 1, kernel / 2);
    return new Candidate(name, chain(OpType.CONV2D, window, image, weights));
  }

  private static Candidate product(String name, int side) {
    long[] matrix = {side, side};
    return new Candidate(name, chain(OpType.MATMUL, Arguments.NONE, matrix, matrix));
  }

  /** Each link a result of the one before and of a parameter of its own. */
  private static Plan chain(OpType type, Arguments arguments, long[] shape, long[] weights) {
    Value x = Value.input("x", DataType.FLOAT, shape);
    List<Op> ops = new ArrayList<>();
    Value last = x;
    long fanIn = weights.length == 4 ? weights[0] * weights[1] * weights[2] : weights[0];
    for (int i = 0; i < LINKS; i++) {
      // Averages: numbers neither grow nor fall to denormals.
      INDArray w = Nd4j.valueArrayOf(weights, 1.0 / fanIn, DataType.FLOAT);
      Value y = Value.result("y" + i, DataType.FLOAT, shape);
      ops.add(new Op(type, List.of(last, Value.parameter("w" + i, w)), List.of(y), arguments));
      last = y;
    }
    return new Plan(List.of(x), List.of(last), ops, List.of());
  }
}
