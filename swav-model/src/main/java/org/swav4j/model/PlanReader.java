package org.swav4j.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseReduceOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.BaseCompatOp;
import org.nd4j.linalg.api.ops.impl.shape.tensorops.BaseTensorOp;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.NativeCall;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.NativeOp;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * Reads a SameDiff graph and the gradients of its loss into a plan, op by op: an op that engines
 * have code for becomes that op, any other an {@link OpType#ND4J} op that ND4J itself runs. Names
 * mean nothing to it but as names.
 *
 * <p>Values are asked for by name; each pulls in the op that makes it, so that only what is needed
 * is read, in an order that works. What is known beforehand (shapes, arithmetic of constants) is
 * computed while reading, and gradients SameDiff knows to be zero are never added up.
 *
 * <p>Numbers are those of SameDiff's own training. That holds for its faults too: autodiff copies
 * every op, and a property lost in the copy is lost here.
 */
public final class PlanReader {
  /**
   * What was read.
   *
   * @param plan outputs in order: those of {@code values}, the loss, those of {@code gradients}
   * @param values what is known after the forward half, by name, in the order asked for
   * @param loss a scalar
   * @param gradients by parameter, in the order of the parameters; without those that the loss does
   *     not depend on
   */
  public record Program(
      Plan plan, Map<String, Value> values, Value loss, Map<String, Value> gradients) {}

  /** Their results depend on no elements, only on shapes. */
  private static final Set<String> OF_SHAPES =
      Set.of("shape_of", "shapes_of", "size", "size_at", "rank", "ones_as");

  /** Their results' shapes depend on elements that are known only when they run. */
  private static final Set<String> OF_UNKNOWN_SHAPE =
      Set.of(
          "where",
          "where_np",
          "unique",
          "unique_with_counts",
          "listdiff",
          "boolean_mask",
          "choose",
          "dynamic_partition",
          "non_max_suppression",
          "sequence_mask");

  /** All inputs but the first say which shape the result has. */
  private static final Set<String> SHAPED_BY_INPUTS =
      Set.of(
          "reshape",
          "tile",
          "broadcast_to",
          "slice",
          "strided_slice",
          "stridedslice",
          "expand_dims",
          "squeeze",
          "permute",
          "pad",
          "repeat");

  /** All inputs say which shape the result has. */
  private static final Set<String> SHAPED_BY_ALL_INPUTS =
      Set.of("fill", "range", "lin_space", "eye");

  private final GradientGraph gradient;
  private final SameDiff graph;
  private final Map<String, INDArray> parameters;

  /** What engines compute in; ops on other types are ND4J's. */
  private final DataType type;

  private final Map<String, Value> values = new HashMap<>();

  /** Rectified values by the name of what went in. */
  private final Map<String, Value> rectified = new HashMap<>();

  /** Values that are zero everywhere; they get an array only if an op wants one. */
  private final Set<Value> zeros = Collections.newSetFromMap(new IdentityHashMap<>());

  private final List<Value> inputs = new ArrayList<>();
  private List<Op> ops = new ArrayList<>();

  private PlanReader(
      SameDiff sd, Map<String, INDArray> parameters, String loss, Collection<String> wanted) {
    this.parameters = parameters;
    this.gradient = GradientGraph.of(sd, loss, wanted);
    this.graph = gradient.sameDiff();
    this.type = graph.getVariable(loss).dataType();
  }

  /**
   * Reads a graph with the gradients of its parameters. The graph is copied, not changed.
   *
   * @param sd a graph whose placeholders have fixed shapes
   * @param parameters the variables to find gradients for, by name, and the arrays that the plan
   *     reads at each run in their place; variables not named are read from the graph's own arrays
   * @param forward names of variables to be known after the plan's forward half, which holds what
   *     they need and nothing else
   * @param loss name of a scalar variable
   * @throws IllegalArgumentException if a shape is not fixed, an op's result has a shape that
   *     depends on its input's elements, or the graph has loops or lists of arrays
   */
  public static Program read(
      SameDiff sd, Map<String, INDArray> parameters, List<String> forward, String loss) {
    return read(sd, parameters, forward, loss, List.copyOf(parameters.keySet()));
  }

  /**
   * The same with the gradients of variables of any kind: parameters, placeholders, results of ops.
   *
   * @param wanted names of the variables to find gradients for
   */
  public static Program read(
      SameDiff sd,
      Map<String, INDArray> parameters,
      List<String> forward,
      String loss,
      List<String> wanted) {
    PlanReader reader = new PlanReader(sd, parameters, loss, wanted);
    Map<String, Value> early = new LinkedHashMap<>();
    forward.forEach(name -> early.put(name, reader.value(name)));
    List<Op> forwardOps = reader.ops;
    reader.ops = new ArrayList<>();
    Set<Value> outputs = Collections.newSetFromMap(new IdentityHashMap<>());
    outputs.addAll(early.values());
    Value lossValue = reader.output(loss, outputs);
    if (lossValue.length() != 1) {
      throw new IllegalArgumentException(
          "the loss " + lossValue + " is no scalar: sum it, or take its mean");
    }
    List<String> names =
        wanted.stream().filter(name -> reader.gradient.gradient(name) != null).toList();
    Map<String, Value> found = new HashMap<>();
    // From the last layer to the first: the way the gradient goes.
    for (int i = names.size() - 1; i >= 0; i--) {
      String name = names.get(i);
      found.put(name, reader.output(reader.gradient.gradient(name), outputs));
    }
    Map<String, Value> gradients = new LinkedHashMap<>();
    names.forEach(name -> gradients.put(name, found.get(name)));
    List<Value> all = new ArrayList<>(early.values());
    all.add(lossValue);
    all.addAll(gradients.values());
    return new Program(
        new Plan(reader.inputs, all, forwardOps, reader.ops), early, lossValue, gradients);
  }

  /** A value of its own for the caller, who may change the array: a copy if it has two uses. */
  private Value output(String name, Set<Value> outputs) {
    Value v = value(name);
    if (v.kind() == Value.Kind.RESULT && outputs.add(v)) {
      return v;
    }
    Value copy = Value.result(name + ".copy" + outputs.size(), v.type(), v.shape());
    NativeOp identity = new NativeOp(DynamicCustomOp.builder("identity").build());
    ops.add(new Op(OpType.ND4J, List.of(v), List.of(copy), Arguments.of(identity)));
    outputs.add(copy);
    return copy;
  }

  /** The value of that name, with everything before it read. */
  private Value value(String name) {
    require(name);
    Value v = values.get(name);
    if (zeros.contains(v)) {
      v = Value.constant(v.name(), Nd4j.zeros(v.type(), v.shape()));
      values.put(name, v);
    }
    return v;
  }

  private boolean isZero(String name) {
    require(name);
    return zeros.contains(values.get(name));
  }

  private void putZero(String name, Value like) {
    Value zero = like(name, like);
    zeros.add(zero);
    values.put(name, zero);
  }

  private void require(String name) {
    if (values.containsKey(name)) {
      return;
    }
    SDVariable v = graph.getVariable(name);
    if (parameters.containsKey(name)) {
      values.put(name, Value.parameter(name, parameters.get(name)));
      return;
    }
    switch (v.getVariableType()) {
      case VARIABLE -> values.put(name, Value.parameter(name, v.getArr()));
      case CONSTANT -> values.put(name, Value.constant(name, v.getArr()));
      case PLACEHOLDER -> {
        long[] shape = v.placeholderShape();
        if (shape == null || Arrays.stream(shape).anyMatch(s -> s < 0)) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "placeholder \"%s\" has shape %s, expected a fixed one: plans have all their memory from the start",
                  name,
                  Arrays.toString(shape)));
        }
        Value input = Value.input(name, v.dataType(), shape);
        inputs.add(input);
        values.put(name, input);
      }
      case ARRAY -> {
        SameDiffOp op = graph.getOps().get(graph.getVariables().get(name).getOutputOfOp());
        if (!lower(op)) {
          keep(op);
        }
      }
    }
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

  /** Reads an op as one that engines have code for, if it is one. */
  private boolean lower(SameDiffOp node) {
    NativeOp op = new NativeOp(node.getOp());
    List<String> in = node.getInputsToOp();
    List<String> out = node.getOutputsOfOp();
    return switch (op.name()) {
      case "conv2d" -> isPlainConvolution(op) && in.size() == 2 && convolution(op, in, out);
      case "conv2d_bp" ->
          isPlainConvolution(op) && in.size() == 3 && convolutionGradient(op, in, out);
      case "maxpool2d" -> isPlainPooling(op) && pooling(op, in, out);
      case "maxpool2d_bp" -> isPlainPooling(op) && poolingGradient(op, in, out);
      case BatchNormalization.MOMENTS -> moments(out);
      case BatchNormalization.NORM -> norm(in, out);
      case BatchNormalization.NORM_BP -> normGradient(in, out);
      case "relu" -> op.scalar() == 0 && areReal(in) && relu(in, out);
      case "thresholdedrelu_bp", "relu_bp" ->
          Arrays.stream(op.reals()).allMatch(t -> t == 0) && reluGradient(in, out);
      case "add" -> add(in, out);
      case "add_bp" -> addGradient(in, out);
      case "reduce_mean" -> in.size() == 1 && op.reduces(false, 2, 3) && mean(in, out);
      case "reduce_mean_bp" -> in.size() == 2 && op.reduces(false, 2, 3) && meanGradient(in, out);
      case "concat" -> joinsRows(op, in) && concat(in, out);
      case "concat_bp" -> joinsRows(op, in) && concatGradient(in, out);
      case "slice" -> in.size() == 1 && slice(op, in, out);
      case "matmul" -> isPlainProduct(op, in) && product(op, in, out);
      case "matmul_bp" -> isPlainProduct(op, in) && productGradient(op, in, out);
      case "zeroslike" -> {
        require(in.get(0));
        putZero(out.get(0), values.get(in.get(0)));
        yield true;
      }
      case "identity", "stop_gradient" -> {
        values.put(out.get(0), value(in.get(0)));
        yield true;
      }
      default -> false;
    };
  }

  private boolean areReal(List<String> names) {
    return names.stream().allMatch(name -> graph.getVariable(name).dataType() == type);
  }

  /**
   * kH, kW, sH, sW, pH, pW, dH, dW, padding mode (0: explicit), format (0: NCHW), weights (0: kH,
   * kW, in, out).
   */
  private boolean isPlainConvolution(NativeOp op) {
    return isSquare(op.integers())
        && op.integers()[8] == 0
        && op.integers()[9] == 0
        && (op.integers().length < 11 || op.integers()[10] == 0);
  }

  /** kH, kW, sH, sW, pH, pW, dH, dW, padding mode (0: explicit), unused, format (0: NCHW). */
  private boolean isPlainPooling(NativeOp op) {
    return isSquare(op.integers()) && op.integers()[8] == 0 && op.integers()[10] == 0;
  }

  private static boolean isSquare(long[] i) {
    return i.length >= 10 && i[0] == i[1] && i[2] == i[3] && i[4] == i[5] && i[6] == 1 && i[7] == 1;
  }

  private static Arguments window(NativeOp op) {
    long[] i = op.integers();
    return Arguments.window((int) i[0], (int) i[2], (int) i[4]);
  }

  private boolean convolution(NativeOp op, List<String> in, List<String> out) {
    if (!areReal(in)) {
      return false;
    }
    Value x = value(in.get(0));
    Value w = value(in.get(1));
    emit(OpType.CONV2D, window(op), List.of(x, w), windowed(out.get(0), x, w.size(3), window(op)));
    return true;
  }

  private boolean convolutionGradient(NativeOp op, List<String> in, List<String> out) {
    if (!areReal(in)) {
      return false;
    }
    Value x = value(in.get(0));
    Value w = value(in.get(1));
    emit(
        OpType.CONV2D_BP,
        window(op),
        List.of(x, w, value(in.get(2))),
        like(out.get(0), x),
        like(out.get(1), w));
    return true;
  }

  private boolean pooling(NativeOp op, List<String> in, List<String> out) {
    if (!areReal(in)) {
      return false;
    }
    Value x = value(in.get(0));
    emit(OpType.MAX_POOL, window(op), List.of(x), windowed(out.get(0), x, x.size(1), window(op)));
    return true;
  }

  private boolean poolingGradient(NativeOp op, List<String> in, List<String> out) {
    if (!areReal(in)) {
      return false;
    }
    Value x = value(in.get(0));
    emit(OpType.MAX_POOL_BP, window(op), List.of(x, value(in.get(1))), like(out.get(0), x));
    return true;
  }

  private Value windowed(String name, Value x, long channels, Arguments w) {
    long height = (x.size(2) + 2L * w.padding() - w.kernel()) / w.stride() + 1;
    long width = (x.size(3) + 2L * w.padding() - w.kernel()) / w.stride() + 1;
    return Value.result(name, type, x.size(0), channels, height, width);
  }

  /** The moments of a batch norm are found by the op that normalises. */
  private boolean moments(List<String> out) {
    for (SameDiffOp op : graph.getOps().values()) {
      if (op.getOp().opName().equals(BatchNormalization.NORM)
          && op.getInputsToOp().get(1).equals(out.get(0))) {
        return lower(op);
      }
    }
    return false;
  }

  private boolean norm(List<String> in, List<String> out) {
    Value x = value(in.get(0));
    Value gamma = value(in.get(3));
    emit(
        OpType.BATCH_NORM,
        Arguments.epsilon(BatchNormalization.EPSILON),
        List.of(x, gamma, value(in.get(4))),
        like(out.get(0), x),
        like(in.get(1), gamma),
        like(in.get(2), gamma));
    return true;
  }

  private boolean normGradient(List<String> in, List<String> out) {
    Value x = value(in.get(0));
    Value gamma = value(in.get(3));
    emit(
        OpType.BATCH_NORM_BP,
        Arguments.epsilon(BatchNormalization.EPSILON),
        List.of(x, gamma, value(in.get(4)), value(in.get(1)), value(in.get(2)), value(in.get(5))),
        like(out.get(0), x),
        like(out.get(3), gamma),
        like(out.get(4), gamma));
    putZero(out.get(1), gamma);
    putZero(out.get(2), gamma);
    return true;
  }

  private boolean relu(List<String> in, List<String> out) {
    Value x = value(in.get(0));
    emit(OpType.RELU, Arguments.NONE, List.of(x), like(out.get(0), x));
    rectified.put(in.get(0), values.get(out.get(0)));
    return true;
  }

  private boolean reluGradient(List<String> in, List<String> out) {
    Value y = rectified.get(in.get(0));
    if (y == null) {
      return false;
    }
    emit(OpType.RELU_BP, Arguments.NONE, List.of(y, value(in.get(1))), like(out.get(0), y));
    return true;
  }

  private boolean add(List<String> in, List<String> out) {
    if (!areReal(in)) {
      return false;
    }
    for (int i = 0; i < 2; i++) {
      String other = in.get(1 - i);
      if (isZero(in.get(i))) {
        require(other);
        if (values.get(other).sameShape(values.get(in.get(i)))) {
          if (isZero(other)) {
            putZero(out.get(0), values.get(other));
          } else {
            values.put(out.get(0), values.get(other));
          }
          return true;
        }
      }
    }
    Value a = value(in.get(0));
    Value b = value(in.get(1));
    if (a.rank() > 4 || areConstant(List.of(a, b)) || !(b.sameShape(a) || isRowOf(b, a))) {
      return false;
    }
    emit(OpType.ADD, Arguments.NONE, List.of(a, b), like(out.get(0), a));
    return true;
  }

  private static boolean isRowOf(Value row, Value matrix) {
    return row.rank() == 1 && matrix.rank() == 2 && row.length() == matrix.size(1);
  }

  private boolean addGradient(List<String> in, List<String> out) {
    if (!areReal(in)) {
      return false;
    }
    Value dy = value(in.get(2));
    List<Value> operands = List.of(value(in.get(0)), value(in.get(1)));
    if (!operands.stream().allMatch(v -> v.sameShape(dy) || isRowOf(v, dy))) {
      return false;
    }
    for (int i = 0; i < 2; i++) {
      if (operands.get(i).sameShape(dy)) {
        values.put(out.get(i), dy);
      } else {
        emit(OpType.COLUMN_SUM, Arguments.NONE, List.of(dy), like(out.get(i), operands.get(i)));
      }
    }
    return true;
  }

  private boolean mean(List<String> in, List<String> out) {
    Value x = value(in.get(0));
    if (!areReal(in) || x.rank() != 4) {
      return false;
    }
    emit(
        OpType.GLOBAL_MEAN,
        Arguments.NONE,
        List.of(x),
        Value.result(out.get(0), type, x.size(0), x.size(1)));
    return true;
  }

  private boolean meanGradient(List<String> in, List<String> out) {
    Value x = value(in.get(0));
    if (!areReal(in) || x.rank() != 4) {
      return false;
    }
    emit(OpType.GLOBAL_MEAN_BP, Arguments.NONE, List.of(value(in.get(1))), like(out.get(0), x));
    return true;
  }

  /** Whether matrices are put below each other, or a gradient is divided so. */
  private boolean joinsRows(NativeOp op, List<String> in) {
    boolean axisIsAnInput = op.booleans().length > 0 && op.booleans()[0];
    return !axisIsAnInput
        && op.integers().length == 1
        && op.integers()[0] == 0
        && areReal(in)
        && in.stream().map(this::value).allMatch(v -> v.rank() == 2);
  }

  private boolean concat(List<String> in, List<String> out) {
    List<Value> parts = in.stream().map(this::value).toList();
    long rows = parts.stream().mapToLong(v -> v.size(0)).sum();
    emit(
        OpType.CONCAT_ROWS,
        Arguments.NONE,
        parts,
        Value.result(out.get(0), type, rows, parts.get(0).size(1)));
    return true;
  }

  private boolean concatGradient(List<String> in, List<String> out) {
    Value dy = value(in.get(out.size()));
    long start = 0;
    for (int i = 0; i < out.size(); i++) {
      Value part = value(in.get(i));
      emit(OpType.ROWS, Arguments.start(start), List.of(dy), like(out.get(i), part));
      start += part.size(0);
    }
    return true;
  }

  /** Begin of each dimension, then size of each; -1: all that is left. */
  private boolean slice(NativeOp op, List<String> in, List<String> out) {
    long[] i = op.integers();
    Value x = value(in.get(0));
    boolean wholeRows =
        areReal(in)
            && x.kind() != Value.Kind.CONSTANT
            && x.rank() == 2
            && i.length == 4
            && i[1] == 0
            && (i[3] == -1 || i[3] == x.size(1));
    if (!wholeRows) {
      return false;
    }
    long rows = i[2] == -1 ? x.size(0) - i[0] : i[2];
    emit(
        OpType.ROWS,
        Arguments.start(i[0]),
        List.of(x),
        Value.result(out.get(0), type, rows, x.size(1)));
    return true;
  }

  /** Transposes a, b and the result; then α and β of α·a·b + β·c. */
  private boolean isPlainProduct(NativeOp op, List<String> in) {
    long[] i = op.integers();
    double[] t = op.reals();
    return areReal(in)
        && (i.length < 3 || i[2] == 0)
        && (t.length < 1 || t[0] == 1)
        && (t.length < 2 || t[1] == 0)
        && in.stream().map(this::value).allMatch(v -> v.rank() == 2);
  }

  private boolean product(NativeOp op, List<String> in, List<String> out) {
    boolean ta = transposes(op, 0);
    boolean tb = transposes(op, 1);
    Value a = value(in.get(0));
    Value b = value(in.get(1));
    emit(
        OpType.MATMUL,
        Arguments.transpose(ta, tb),
        List.of(a, b),
        Value.result(out.get(0), type, a.size(ta ? 1 : 0), b.size(tb ? 0 : 1)));
    return true;
  }

  /** With c = a·b: da = dc·bᵀ and db = aᵀ·dc; with a or b transposed, these are too. */
  private boolean productGradient(NativeOp op, List<String> in, List<String> out) {
    boolean ta = transposes(op, 0);
    boolean tb = transposes(op, 1);
    Value a = value(in.get(0));
    Value b = value(in.get(1));
    Value dc = value(in.get(2));
    emit(
        OpType.MATMUL,
        ta ? Arguments.transpose(tb, true) : Arguments.transpose(false, !tb),
        ta ? List.of(b, dc) : List.of(dc, b),
        like(out.get(0), a));
    emit(
        OpType.MATMUL,
        tb ? Arguments.transpose(true, ta) : Arguments.transpose(!ta, false),
        tb ? List.of(dc, a) : List.of(a, dc),
        like(out.get(1), b));
    return true;
  }

  private static boolean transposes(NativeOp op, int factor) {
    return op.integers().length > factor && op.integers()[factor] != 0;
  }

  /** Keeps an op as ND4J's, or computes it now if all it depends on is known. */
  private void keep(SameDiffOp node) {
    DifferentialFunction function = node.getOp();
    List<String> out = node.getOutputsOfOp();
    refuseWhatIsNotFixed(node);
    List<Value> in = node.getInputsToOp().stream().map(this::value).toList();
    if (in.size() == 2 && function instanceof BaseReduceOp reduce && takesAxisAsInput(reduce)) {
      int[] axis = constant(node, in.get(1)).toIntVector();
      function.setDimensions(axis.length == 0 ? null : Shape.normalizeAxis(in.get(0).rank(), axis));
      in = in.subList(0, 1);
    } else if (in.size() == 2 && function instanceof ScalarOp scalar) {
      scalar.setScalar(constant(node, in.get(1)));
      in = in.subList(0, 1);
    }
    NativeOp op = new NativeOp(function);
    boolean known = OF_SHAPES.contains(op.name()) || (areConstant(in) && !op.isRandom());
    List<INDArray> arrays = new ArrayList<>();
    List<INDArray> temporary = new ArrayList<>();
    for (Value v : in) {
      INDArray array = v.array();
      if (array == null) {
        array = Nd4j.createUninitialized(v.type(), v.shape());
        temporary.add(array);
      }
      arrays.add(array);
    }
    List<LongShapeDescriptor> shapes = NativeCall.shapes(op, arrays);
    List<Value> results = new ArrayList<>();
    for (int i = 0; i < out.size(); i++) {
      DataType of = graph.getVariable(out.get(i)).dataType();
      results.add(Value.result(out.get(i), of, shapes.get(i).getShape()));
    }
    if (known) {
      List<INDArray> computed = new ArrayList<>();
      results.forEach(v -> computed.add(Nd4j.create(v.type(), v.shape())));
      new NativeCall(op, arrays, computed).run();
      for (int i = 0; i < out.size(); i++) {
        values.put(out.get(i), Value.constant(out.get(i), computed.get(i)));
      }
    } else {
      emit(OpType.ND4J, Arguments.of(op), in, results.toArray(Value[]::new));
    }
    temporary.forEach(INDArray::close);
  }

  private static boolean takesAxisAsInput(BaseReduceOp op) {
    return op.getOpType() != org.nd4j.linalg.api.ops.Op.Type.REDUCE3;
  }

  private static boolean areConstant(List<Value> values) {
    return !values.isEmpty() && values.stream().allMatch(v -> v.kind() == Value.Kind.CONSTANT);
  }

  private static INDArray constant(SameDiffOp node, Value v) {
    if (v.kind() != Value.Kind.CONSTANT) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s of op %s (%s) says which dimensions or number it takes, and isn't a constant: plans fix both",
              v,
              node.getName(),
              node.getOp().opName()));
    }
    return v.array();
  }

  private void refuseWhatIsNotFixed(SameDiffOp node) {
    DifferentialFunction function = node.getOp();
    String name = function.opName();
    boolean runs =
        (function instanceof CustomOp || function instanceof org.nd4j.linalg.api.ops.Op)
            && !(function instanceof BaseCompatOp)
            && !(function instanceof BaseTensorOp);
    List<String> in = node.getInputsToOp();
    List<String> shapes =
        SHAPED_BY_ALL_INPUTS.contains(name)
            ? in
            : in.subList(SHAPED_BY_INPUTS.contains(name) ? 1 : in.size(), in.size());
    boolean fixed =
        !OF_UNKNOWN_SHAPE.contains(name)
            && shapes.stream().map(this::value).allMatch(v -> v.kind() == Value.Kind.CONSTANT);
    if (!runs || !fixed) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "op %s (%s) %s: plans are straight programs over arrays of fixed shape. Write the graph without it, or train it by SameDiff's own fit",
              node.getName(),
              name,
              runs
                  ? "makes arrays whose shape depends on its input's elements"
                  : "is control flow or works on lists of arrays"));
    }
  }
}
