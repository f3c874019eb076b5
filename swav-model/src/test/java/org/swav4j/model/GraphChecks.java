package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.onednn.OneDnnEngine;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Pass;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/** Holds plans read from SameDiff graphs against SameDiff's own execution. */
final class GraphChecks {
  private GraphChecks() {}

  /** An engine in one type. */
  record On(Engine engine, DataType type) {
    double tolerance() {
      return type == DataType.DOUBLE ? 1e-9 : 2e-5;
    }

    @Override
    public String toString() {
      return engine.name() + " " + type;
    }
  }

  /** ND4J in doubles, where rounding hides nothing, and oneDNN. */
  static List<On> engines() {
    return List.of(
        new On(new Nd4jEngine(), DataType.DOUBLE), new On(new OneDnnEngine(), DataType.FLOAT));
  }

  static INDArray random(Random random, DataType type, long... shape) {
    INDArray a = Nd4j.create(type, shape);
    for (long i = 0; i < a.length(); i++) {
      a.data().put(i, random.nextGaussian());
    }
    return a;
  }

  /** Rows that are probabilities. */
  static INDArray codes(Random random, DataType type, long rows, long k) {
    return Transforms.softmax(random(random, type, rows, k), false);
  }

  static long count(Plan plan, OpType type) {
    return plan.ops().stream().filter(op -> op.type() == type).count();
  }

  /** The graph's variables, whose gradients are compared. */
  static Map<String, INDArray> parameters(SameDiff sd) {
    Map<String, INDArray> parameters = new LinkedHashMap<>();
    for (SDVariable v : sd.variables()) {
      if (v.getVariableType() == VariableType.VARIABLE) {
        parameters.put(v.name(), v.getArr());
      }
    }
    return parameters;
  }

  static PlanReader.Program read(SameDiff sd, String loss) {
    return PlanReader.read(sd, parameters(sd), List.of(), loss);
  }

  /**
   * Asserts that the graph trains as written: loss and gradients of the plan, as read and after all
   * passes, equal those of {@code calculateGradients}.
   *
   * @return the plan after all passes
   */
  static Plan assertTrainsAsWritten(
      On on, SameDiff sd, SDVariable loss, Map<String, INDArray> placeholders) {
    loss.markAsLoss();
    PlanReader.Program program = read(sd, loss.name());
    Map<String, INDArray> fed = new LinkedHashMap<>();
    placeholders.forEach((name, a) -> fed.put(name, a.castTo(on.type)));
    Map<String, INDArray> expected = new LinkedHashMap<>();
    expected.put(loss.name(), sd.outputSingle(fed, loss.name()).dup());
    if (!program.gradients().isEmpty()) {
      sd.calculateGradients(fed, program.gradients().keySet())
          .forEach((name, g) -> expected.put(name + " gradient", g.dup()));
    }
    Plan simplified = Pass.standard().apply(program.plan());
    for (Plan plan : List.of(program.plan(), simplified)) {
      try (Execution run = on.engine.prepare(plan)) {
        for (Value v : plan.inputs()) {
          run.array(v).assign(fed.get(v.name()));
        }
        // Twice: the second run must not depend on what the first left behind.
        for (int i = 0; i < 2; i++) {
          run.forward();
          run.backward();
        }
        assertClose(on, loss.name(), run.array(program.loss()), expected.get(loss.name()));
        program
            .gradients()
            .forEach(
                (name, v) ->
                    assertClose(
                        on, name + " gradient", run.array(v), expected.get(name + " gradient")));
      }
    }
    return simplified;
  }

  static void assertClose(On on, String what, INDArray actual, INDArray expected) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    double scale = Math.max(0.01, Transforms.abs(expected, true).maxNumber().doubleValue());
    INDArray difference = actual.castTo(expected.dataType()).sub(expected);
    assertThat(Transforms.abs(difference, false).maxNumber().doubleValue() / scale)
        .as("largest difference of %s relative to %s", what, scale)
        .isLessThan(on.tolerance());
  }
}
