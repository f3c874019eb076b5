package org.swav4j.model.engine;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Exp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;

/**
 * One op of a plan as ND4J calls over fixed arrays, prepared once. Everything that varies from run
 * to run is in the arrays.
 */
final class Nd4jKernels {
  private static final long[] NONE = {};

  /** A norm this small counts as this: no division by zero. */
  private static final double LEAST_NORM = 1e-12;

  private final Op op;
  private final List<INDArray> in;
  private final List<INDArray> out;
  private final List<INDArray> scratch;
  private final List<Runnable> steps = new ArrayList<>();

  Nd4jKernels(Op op, List<INDArray> in, List<INDArray> out, List<INDArray> scratch) {
    this.op = op;
    this.in = in;
    this.out = out;
    this.scratch = scratch;
  }

  /** Lengths of the working arrays an op needs. */
  static long[] scratch(Op op) {
    return switch (op.type()) {
      case BATCH_NORM -> new long[] {op.input(0).length()};
      case BATCH_NORM_BP -> {
        long n = op.input(0).length();
        long c = op.input(1).length();
        yield new long[] {n, n, c};
      }
      case GLOBAL_MEAN_BP -> new long[] {op.input(0).length()};
      case NORMALIZE_ROWS, NORMALIZE_ROWS_BP ->
          new long[] {op.input(0).length(), op.input(0).size(0), op.input(0).size(0)};
      case SWAPPED_PREDICTION -> {
        long n = op.input(0).length();
        yield new long[] {n, n, op.input(0).size(0)};
      }
      default -> NONE;
    };
  }

  List<Runnable> steps() {
    Arguments a = op.arguments();
    switch (op.type()) {
      case CONV2D -> convolution(a);
      case CONV2D_BP -> call("conv2d_bp", in, out, window(a));
      case BATCH_NORM -> batchNorm(a);
      case BATCH_NORM_BP -> batchNormGradient(a);
      case BATCH_NORM_RECOMPUTED -> normalise(in.get(3), in.get(4), a);
      case RELU -> relu(in.get(0), out.get(0));
      case RELU_BP -> call("relu_bp", in, out);
      case ADD -> {
        call("add", in, out);
        if (a.relu()) {
          relu(out.get(0), out.get(0));
        }
      }
      case MAX_POOL -> call("maxpool2d", in, out, pool(a));
      case MAX_POOL_BP -> call("maxpool2d_bp", in, out, pool(a));
      case GLOBAL_MEAN -> reduce("reduce_mean", in.get(0), out.get(0), 2, 3);
      case GLOBAL_MEAN_BP -> {
        INDArray dx = out.get(0);
        INDArray dy = in.get(0);
        INDArray scaled = scratch.get(0).reshape(dy.size(0), dy.size(1), 1, 1);
        double share = 1.0 / (dx.size(2) * dx.size(3));
        INDArray flat = scaled.reshape(dy.shape());
        steps.add(() -> flat.assign(dy).muli(share));
        call("assign", List.of(dx, scaled), List.of(dx));
      }
      case CONCAT_ROWS -> {
        long at = 0;
        for (INDArray part : in) {
          INDArray rows = rows(out.get(0), at, part.size(0));
          steps.add(() -> rows.assign(part));
          at += part.size(0);
        }
      }
      case ROWS -> {
        INDArray rows = rows(in.get(0), a.start(), out.get(0).size(0));
        steps.add(() -> out.get(0).assign(rows));
      }
      case MATMUL ->
          call("matmul", in, out, new long[] {a.transposeA() ? 1 : 0, a.transposeB() ? 1 : 0, 0});
      case COLUMN_SUM -> reduce("reduce_sum", in.get(0), out.get(0), 0);
      case NORMALIZE_ROWS -> normalizeRows();
      case NORMALIZE_ROWS_BP -> normalizeRowsGradient();
      case SWAPPED_PREDICTION -> swappedPrediction(a);
      case FINAL -> steps.add(a.call());
      case ND4J -> steps.add(new NativeCall(a.nativeOp(), in, out));
    }
    return steps;
  }

  private void convolution(Arguments a) {
    List<INDArray> operands = in.subList(0, a.bias() ? 3 : 2);
    call("conv2d", operands, out, window(a));
    if (a.residual()) {
      call("add", List.of(out.get(0), in.get(in.size() - 1)), out);
    }
    if (a.relu()) {
      relu(out.get(0), out.get(0));
    }
  }

  /** Moments by two passes (the second over centred x), then the native normalisation. */
  private void batchNorm(Arguments a) {
    INDArray x = in.get(0);
    INDArray mean = out.get(1);
    INDArray variance = out.get(2);
    INDArray centred = scratch.get(0).reshape(x.shape());
    int[] others = x.rank() == 4 ? new int[] {0, 2, 3} : new int[] {0};
    reduce("reduce_mean", x, mean, others);
    call("subtract", List.of(x, channels(mean, x)), List.of(centred));
    steps.add(() -> centred.muli(centred));
    reduce("reduce_mean", centred, variance, others);
    if (a.synchronised()) {
      SharedMoments shared = new SharedMoments(a.workers(), Math.toIntExact(mean.length()));
      steps.add(() -> combine(shared, mean, variance));
    }
    normalise(mean, variance, a);
  }

  /** From the moments of this worker's rows to those of all. */
  private static void combine(SharedMoments shared, INDArray mean, INDArray variance) {
    put(shared, mean, variance);
    shared.combine();
    for (int c = 0; c < mean.length(); c++) {
      mean.putScalar(c, shared.first(c));
      variance.putScalar(c, shared.second(c));
    }
  }

  private static void put(SharedMoments shared, INDArray first, INDArray second) {
    for (int c = 0; c < first.length(); c++) {
      shared.put(c, first.getDouble(c), second.getDouble(c));
    }
  }

  private void normalise(INDArray mean, INDArray variance, Arguments a) {
    INDArray y = out.get(0);
    call(
        "batchnorm",
        List.of(in.get(0), mean, variance, in.get(1), in.get(2)),
        List.of(y),
        new long[] {1, 1, 1},
        a.epsilon());
    if (a.relu()) {
      relu(y, y);
    }
  }

  /**
   * With g the gradient behind the rectifier, x̂ the normalised x and N rows per channel: dbeta = Σ
   * g, dgamma = Σ g·x̂, dx = gamma/σ · (g - dbeta/N - x̂·dgamma/N). Ioffe and Szegedy 2015, section
   * 3. The native op is not used: its 1/N is a float even in double. Of several workers, N and the
   * sums within dx are those of all their rows.
   */
  private void batchNormGradient(Arguments a) {
    INDArray x = in.get(0);
    INDArray dx = out.get(0);
    INDArray dgamma = out.get(1);
    INDArray dbeta = out.get(2);
    INDArray normalised = scratch.get(0).reshape(x.shape());
    INDArray gradient = scratch.get(1).reshape(x.shape());
    INDArray factor = scratch.get(2);
    INDArray gamma = in.get(1);
    INDArray mean = in.get(3);
    INDArray variance = in.get(4);
    INDArray factors = channels(factor, x);
    int[] others = x.rank() == 4 ? new int[] {0, 2, 3} : new int[] {0};
    SharedMoments shared =
        a.synchronised() ? new SharedMoments(a.workers(), Math.toIntExact(gamma.length())) : null;
    double rows = (double) x.length() / gamma.length() * a.workers().size();
    if (a.relu()) {
      call("relu_bp", List.of(in.get(6), in.get(5)), List.of(gradient));
    } else {
      steps.add(() -> gradient.assign(in.get(5)));
    }
    steps.add(() -> inverseDeviation(variance, factor, a.epsilon()));
    call("subtract", List.of(x, channels(mean, x)), List.of(normalised));
    call("multiply", List.of(normalised, factors), List.of(normalised));
    reduce("reduce_sum", gradient, dbeta, others);
    call("multiply", List.of(gradient, normalised), List.of(dx));
    reduce("reduce_sum", dx, dgamma, others);
    if (shared != null) {
      steps.add(
          () -> {
            put(shared, dgamma, dbeta);
            shared.sum();
          });
    }
    steps.add(() -> mean(shared, SharedMoments::first, dgamma, rows, factor));
    call("multiply", List.of(normalised, factors), List.of(normalised));
    call("subtract", List.of(gradient, normalised), List.of(dx));
    steps.add(() -> mean(shared, SharedMoments::second, dbeta, rows, factor));
    call("subtract", List.of(dx, factors), List.of(dx));
    steps.add(
        () -> {
          inverseDeviation(variance, factor, a.epsilon());
          factor.muli(gamma);
        });
    call("multiply", List.of(dx, factors), List.of(dx));
  }

  /** A sum over rows, this worker's or of all, divided by their number. */
  private static void mean(
      SharedMoments shared, OfChannel ofAll, INDArray own, double rows, INDArray into) {
    if (shared == null) {
      into.assign(own).divi(rows);
      return;
    }
    for (int c = 0; c < into.length(); c++) {
      into.putScalar(c, ofAll.get(shared, c) / rows);
    }
  }

  /** One of the two numbers of a channel. */
  private interface OfChannel {
    double get(SharedMoments shared, int channel);
  }

  private static void inverseDeviation(INDArray variance, INDArray into, double epsilon) {
    into.assign(variance).addi(epsilon);
    Transforms.sqrt(into, false);
    into.rdivi(1);
  }

  private void normalizeRows() {
    INDArray x = in.get(0);
    INDArray squares = scratch.get(0).reshape(x.shape());
    INDArray norms = scratch.get(1);
    rowNorms(x, squares, norms);
    call("divide", List.of(x, norms.reshape(x.size(0), 1)), out);
  }

  private void rowNorms(INDArray x, INDArray squares, INDArray norms) {
    call("multiply", List.of(x, x), List.of(squares));
    reduce("reduce_sum", squares, norms, 1);
    steps.add(
        () -> {
          Transforms.sqrt(norms, false);
          Transforms.max(norms, LEAST_NORM, false);
        });
  }

  /** dx = (dy - y·⟨y, dy⟩) / ‖x‖; without the projection where the norm is cut off. */
  private void normalizeRowsGradient() {
    INDArray x = in.get(0);
    INDArray y = in.get(1);
    INDArray dy = in.get(2);
    INDArray dx = out.get(0);
    INDArray products = scratch.get(0).reshape(x.shape());
    INDArray norms = scratch.get(1);
    INDArray along = scratch.get(2);
    rowNorms(x, products, norms);
    call("multiply", List.of(y, dy), List.of(products));
    reduce("reduce_sum", products, along, 1);
    steps.add(
        () -> {
          for (long n = 0; n < norms.length(); n++) {
            if (norms.getDouble(n) <= LEAST_NORM) {
              along.putScalar(n, 0);
            }
          }
        });
    call("multiply", List.of(y, along.reshape(x.size(0), 1)), List.of(products));
    call("subtract", List.of(dy, products), List.of(dx));
    call("divide", List.of(dx, norms.reshape(x.size(0), 1)), List.of(dx));
  }

  /**
   * With t_v = Σ_{i≠v} q_i: loss = -Σ t·log p / (A (V-1) B), ds_v = (p_v·Σ_k t_v - t_v) / (τ A
   * (V-1) B).
   */
  private void swappedPrediction(Arguments a) {
    INDArray scores = in.get(0);
    INDArray codes = in.get(1);
    INDArray loss = out.get(0);
    INDArray gradient = out.get(1);
    INDArray logP = scratch.get(0).reshape(scores.shape());
    INDArray targets = scratch.get(1).reshape(scores.shape());
    INDArray mass = scratch.get(2);
    long batch = scores.size(0) / a.views();
    double terms = (double) a.assigning() * (a.views() - 1) * batch;
    double temperature = a.temperature();
    steps.add(() -> logP.assign(scores).divi(temperature));
    call("log_softmax", List.of(logP), List.of(logP), new long[] {1});
    for (int v = 0; v < a.views(); v++) {
      INDArray t = rows(targets, v * batch, batch);
      List<INDArray> others = new ArrayList<>();
      for (int i = 0; i < a.assigning(); i++) {
        if (i != v) {
          others.add(rows(codes, i * batch, batch));
        }
      }
      if (others.isEmpty()) {
        steps.add(() -> t.assign(0));
      } else {
        steps.add(() -> t.assign(others.get(0)));
        others.subList(1, others.size()).forEach(q -> call("add", List.of(t, q), List.of(t)));
      }
    }
    call("multiply", List.of(targets, logP), List.of(gradient));
    reduce("reduce_sum", gradient, loss, 0, 1);
    steps.add(() -> loss.divi(-terms));
    reduce("reduce_sum", targets, mass, 1);
    Exp exp = new Exp(logP, gradient);
    steps.add(() -> Nd4j.getExecutioner().exec(exp));
    call("multiply", List.of(gradient, mass.reshape(mass.length(), 1)), List.of(gradient));
    call("subtract", List.of(gradient, targets), List.of(gradient));
    steps.add(() -> gradient.divi(terms * temperature));
  }

  private void relu(INDArray x, INDArray y) {
    call("relu", List.of(x), List.of(y), NONE, 0.0);
  }

  private void reduce(String name, INDArray x, INDArray y, int... dimensions) {
    long[] integers = new long[dimensions.length];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = dimensions[i];
    }
    OpContext context = context(List.of(x), List.of(y));
    context.setIArguments(integers);
    context.setBArguments(false);
    exec(name, context);
  }

  private void call(String name, List<INDArray> inputs, List<INDArray> outputs) {
    call(name, inputs, outputs, NONE);
  }

  private void call(
      String name,
      List<INDArray> inputs,
      List<INDArray> outputs,
      long[] integers,
      double... reals) {
    OpContext context = context(inputs, outputs);
    if (integers.length > 0) {
      context.setIArguments(integers);
    }
    if (reals.length > 0) {
      context.setTArguments(reals);
    }
    exec(name, context);
  }

  private static OpContext context(List<INDArray> inputs, List<INDArray> outputs) {
    OpContext context = Nd4j.getExecutioner().buildContext();
    context.setInputArrays(inputs.toArray(INDArray[]::new));
    context.setOutputArrays(outputs.toArray(INDArray[]::new));
    return context;
  }

  private void exec(String name, OpContext context) {
    CustomOp call = DynamicCustomOp.builder(name).build();
    steps.add(() -> Nd4j.exec(call, context));
  }

  /** kH, kW, sH, sW, pH, pW, dilation, explicit padding, NCHW, weights YXIO. */
  private static long[] window(Arguments a) {
    return new long[] {
      a.kernel(), a.kernel(), a.stride(), a.stride(), a.padding(), a.padding(), 1, 1, 0, 0, 0
    };
  }

  /** kH, kW, sH, sW, pH, pW, dilation, explicit padding, (unused), NCHW. */
  private static long[] pool(Arguments a) {
    return new long[] {
      a.kernel(), a.kernel(), a.stride(), a.stride(), a.padding(), a.padding(), 1, 1, 0, 0, 0
    };
  }

  private static INDArray rows(INDArray x, long from, long count) {
    return x.get(NDArrayIndex.interval(from, from + count), NDArrayIndex.all());
  }

  /** A vector [C] as it broadcasts over x. */
  private static INDArray channels(INDArray vector, INDArray x) {
    return x.rank() == 4
        ? vector.reshape(1, vector.length(), 1, 1)
        : vector.reshape(1, vector.length());
  }
}
