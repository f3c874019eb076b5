package org.swav4j.model;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * Reads a {@link SwavGraph}, differentiated by SameDiff, into a plan. Values are asked for by name;
 * each pulls in the op that makes it, so that only what is needed is read, in an order that works.
 *
 * <p>Two stretches of the graph are not read op by op but replaced by one op with the same numbers:
 * the normalisation of embeddings, and the swapped prediction with its gradient, which has a closed
 * form. Gradients that SameDiff knows to be zero (those of batch moments) are never added up.
 */
final class PlanReader {
  private final SwavGraph graph;
  private final SameDiff gradient;
  private final Map<String, INDArray> parameters;
  private final DataType type;
  private final Map<String, Value> values = new HashMap<>();
  private final Map<String, Value> rectified = new HashMap<>();
  private final List<Value> inputs = new ArrayList<>();
  private List<Op> ops = new ArrayList<>();

  /** A value that is zero everywhere and never made. */
  private static final Value ZERO = Value.result("zero", DataType.FLOAT);

  private PlanReader(SwavGraph graph, SwavWeights weights) {
    this.graph = graph;
    this.parameters = weights.parameters();
    this.type = weights.type();
    this.gradient = differentiate(graph.sameDiff());
  }

  /** Autodiff prints a line per op on standard output; nobody wants to read them. */
  private static synchronized SameDiff differentiate(SameDiff sd) {
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    try {
      sd.createGradFunction();
    } finally {
      System.setOut(out);
    }
    return sd.getFunction("grad");
  }

  /**
   * The plan of one training step. Outputs in order: embeddings, scores, mean and variance of each
   * of the graph's moments, loss, the gradient of each parameter.
   */
  static Plan read(SwavGraph graph, SwavWeights weights) {
    PlanReader reader = new PlanReader(graph, weights);
    List<Value> outputs = new ArrayList<>();
    outputs.add(reader.value(SwavGraph.EMBEDDINGS));
    outputs.add(reader.value(SwavGraph.SCORES));
    for (SwavGraph.Moments m : graph.moments()) {
      reader.value(m.y());
      outputs.add(reader.value(m.mean()));
      outputs.add(reader.value(m.variance()));
    }
    List<Op> forward = reader.ops;
    reader.ops = new ArrayList<>();
    outputs.add(reader.value(SwavGraph.LOSS));
    List<String> names = new ArrayList<>(weights.parameters().keySet());
    Map<String, Value> gradients = new HashMap<>();
    // From the last layer to the first: the way the gradient goes.
    for (int i = names.size() - 1; i >= 0; i--) {
      gradients.put(names.get(i), reader.gradientOf(names.get(i)));
    }
    names.forEach(name -> outputs.add(gradients.get(name)));
    return new Plan(reader.inputs, outputs, forward, reader.ops);
  }

  private Value gradientOf(String name) {
    SDVariable g = gradient.getVariable(name).gradient();
    if (g == null) {
      throw new IllegalStateException("SameDiff gave no gradient for " + name);
    }
    return value(g.name());
  }

  private String gradientName(String name) {
    return gradient.getVariable(name).gradient().name();
  }

  /** The value of that name, with everything before it read. */
  private Value value(String name) {
    Value known = values.get(name);
    if (known != null) {
      return known;
    }
    if (name.equals(SwavGraph.EMBEDDINGS)) {
      Value x = value(SwavGraph.PROJECTION);
      emit(OpType.NORMALIZE_ROWS, Arguments.NONE, List.of(x), like(name, x));
    } else if (name.equals(SwavGraph.LOSS) || name.equals(gradientName(SwavGraph.SCORES))) {
      Value scores = value(SwavGraph.SCORES);
      emit(
          OpType.SWAPPED_PREDICTION,
          Arguments.prediction(
              graph.views().count(),
              ((SwappedPrediction) graph.objective()).assigning(),
              ((SwappedPrediction) graph.objective()).temperature()),
          List.of(scores, value(SwavGraph.CODES)),
          Value.result(SwavGraph.LOSS, type),
          like(gradientName(SwavGraph.SCORES), scores));
    } else if (name.equals(gradientName(SwavGraph.PROJECTION))) {
      Value x = value(SwavGraph.PROJECTION);
      emit(
          OpType.NORMALIZE_ROWS_BP,
          Arguments.NONE,
          List.of(x, value(SwavGraph.EMBEDDINGS), value(gradientName(SwavGraph.EMBEDDINGS))),
          like(name, x));
    } else {
      Variable variable = gradient.getVariables().get(name);
      switch (variable.getVariable().getVariableType()) {
        case VARIABLE -> values.put(name, Value.parameter(name, parameters.get(name)));
        case PLACEHOLDER -> {
          Value input = Value.input(name, type, variable.getVariable().placeholderShape());
          inputs.add(input);
          values.put(name, input);
        }
        default -> read(gradient.getOps().get(variable.getOutputOfOp()));
      }
    }
    return values.get(name);
  }

  private static Value like(String name, Value shape) {
    return Value.result(name, shape.type(), shape.shape());
  }

  private void emit(OpType op, Arguments arguments, List<Value> in, Value... out) {
    ops.add(new Op(op, in, List.of(out), arguments));
    for (Value v : out) {
      values.put(v.name(), v);
    }
  }

  /** Translates one op of SameDiff, whose outputs get their values. */
  private void read(SameDiffOp node) {
    DifferentialFunction op = node.getOp();
    List<String> in = node.getInputsToOp();
    List<String> out = node.getOutputsOfOp();
    switch (op.opName()) {
      case "conv2d" -> {
        Value x = value(in.get(0));
        Value w = value(in.get(1));
        Arguments window = window(op);
        emit(OpType.CONV2D, window, List.of(x, w), windowed(out.get(0), x, w.size(3), window));
      }
      case "conv2d_bp" -> {
        Value x = value(in.get(0));
        Value w = value(in.get(1));
        emit(
            OpType.CONV2D_BP,
            window(op),
            List.of(x, w, value(in.get(2))),
            like(out.get(0), x),
            like(out.get(1), w));
      }
      case "maxpool2d" -> {
        Value x = value(in.get(0));
        Arguments window = window(op);
        emit(OpType.MAX_POOL, window, List.of(x), windowed(out.get(0), x, x.size(1), window));
      }
      case "maxpool2d_bp" -> {
        Value x = value(in.get(0));
        emit(OpType.MAX_POOL_BP, window(op), List.of(x, value(in.get(1))), like(out.get(0), x));
      }
      case BatchNormalization.NORM -> {
        Value x = value(in.get(0));
        Value gamma = value(in.get(3));
        emit(
            OpType.BATCH_NORM,
            Arguments.epsilon(BatchNormalization.EPSILON),
            List.of(x, gamma, value(in.get(4))),
            like(out.get(0), x),
            like(in.get(1), gamma),
            like(in.get(2), gamma));
      }
      case BatchNormalization.NORM_BP -> {
        Value x = value(in.get(0));
        Value gamma = value(in.get(3));
        emit(
            OpType.BATCH_NORM_BP,
            Arguments.epsilon(BatchNormalization.EPSILON),
            List.of(
                x, gamma, value(in.get(4)), value(in.get(1)), value(in.get(2)), value(in.get(5))),
            like(out.get(0), x),
            like(out.get(3), gamma),
            like(out.get(4), gamma));
        values.put(out.get(1), ZERO);
        values.put(out.get(2), ZERO);
      }
      case "relu" -> {
        Value x = value(in.get(0));
        emit(OpType.RELU, Arguments.NONE, List.of(x), like(out.get(0), x));
        rectified.put(in.get(0), values.get(out.get(0)));
      }
      case "thresholdedrelu_bp", "relu_bp" -> {
        Value y = rectified.get(in.get(0));
        emit(OpType.RELU_BP, Arguments.NONE, List.of(y, value(in.get(1))), like(out.get(0), y));
      }
      case "add" -> add(out.get(0), value(in.get(0)), value(in.get(1)));
      case "add_bp" -> {
        Value dy = value(in.get(2));
        for (int i = 0; i < 2; i++) {
          Value a = value(in.get(i));
          if (a.sameShape(dy)) {
            values.put(out.get(i), dy);
          } else {
            emit(OpType.COLUMN_SUM, Arguments.NONE, List.of(dy), like(out.get(i), a));
          }
        }
      }
      case "reduce_mean" -> {
        Value x = value(in.get(0));
        emit(
            OpType.GLOBAL_MEAN,
            Arguments.NONE,
            List.of(x),
            Value.result(out.get(0), type, x.size(0), x.size(1)));
      }
      case "reduce_mean_bp" -> {
        Value x = value(in.get(0));
        emit(OpType.GLOBAL_MEAN_BP, Arguments.NONE, List.of(value(in.get(1))), like(out.get(0), x));
      }
      case "concat" -> {
        List<Value> parts = in.stream().map(this::value).toList();
        long rows = parts.stream().mapToLong(v -> v.size(0)).sum();
        emit(
            OpType.CONCAT_ROWS,
            Arguments.NONE,
            parts,
            Value.result(out.get(0), type, rows, parts.get(0).size(1)));
      }
      case "concat_bp" -> {
        Value dy = value(in.get(out.size()));
        long start = 0;
        for (int i = 0; i < out.size(); i++) {
          Value part = value(in.get(i));
          emit(OpType.ROWS, Arguments.start(start), List.of(dy), like(out.get(i), part));
          start += part.size(0);
        }
      }
      case "matmul" -> {
        requireRowsTimesTransposed(op);
        Value a = value(in.get(0));
        Value b = value(in.get(1));
        emit(
            OpType.MATMUL,
            Arguments.transpose(false, true),
            List.of(a, b),
            Value.result(out.get(0), type, a.size(0), b.size(0)));
      }
      case "matmul_bp" -> {
        requireRowsTimesTransposed(op);
        Value a = value(in.get(0));
        Value b = value(in.get(1));
        Value dy = value(in.get(2));
        emit(OpType.MATMUL, Arguments.transpose(false, false), List.of(dy, b), like(out.get(0), a));
        emit(OpType.MATMUL, Arguments.transpose(true, false), List.of(dy, a), like(out.get(1), b));
      }
      case "zeroslike" -> out.forEach(name -> values.put(name, ZERO));
      case "identity" -> values.put(out.get(0), value(in.get(0)));
      default ->
          throw new IllegalStateException(
              "the graph holds the op "
                  + op.opName()
                  + " (for "
                  + out
                  + "), which plans don't know: add it to PlanReader and the engines");
    }
  }

  private void add(String name, Value a, Value b) {
    if (a == ZERO || b == ZERO) {
      values.put(name, a == ZERO ? b : a);
    } else {
      emit(OpType.ADD, Arguments.NONE, List.of(a, b), like(name, a));
    }
  }

  private Value windowed(String name, Value x, long channels, Arguments w) {
    long height = (x.size(2) + 2L * w.padding() - w.kernel()) / w.stride() + 1;
    long width = (x.size(3) + 2L * w.padding() - w.kernel()) / w.stride() + 1;
    return Value.result(name, type, x.size(0), channels, height, width);
  }

  /** Integer arguments of windowed ops start with kH, kW, sH, sW, pH, pW. */
  private static Arguments window(DifferentialFunction op) {
    long[] i = ((DynamicCustomOp) op).iArgs();
    return Arguments.window((int) i[0], (int) i[2], (int) i[4]);
  }

  /** Every product of the graph is rows · weightsᵀ. */
  private static void requireRowsTimesTransposed(DifferentialFunction op) {
    long[] i = ((DynamicCustomOp) op).iArgs();
    if (IntStream.range(0, i.length).anyMatch(k -> (i[k] != 0) != (k == 1))) {
      throw new IllegalStateException("a product other than a·bᵀ in " + op.getOwnName());
    }
  }
}
