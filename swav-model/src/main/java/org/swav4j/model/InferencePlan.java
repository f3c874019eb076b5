package org.swav4j.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * The network as it is used, batch norms folded into the layers before them: with gamma, beta and
 * the running mean and variance, {@code norm(w·x) = (f·w)·x + (beta − f·mean)}, f = gamma / √(
 * variance + epsilon). Rectifiers and residual sums go into the convolutions too. Holds its own
 * copy of the weights; makes plans for any batch and image size over them.
 */
final class InferencePlan implements AutoCloseable {
  private final SwavConfig config;
  private final DataType type;
  private final Trunk trunk;
  private final boolean normalising;
  private final Map<String, Value> constants = new HashMap<>();

  /** Ops of the plan being made. */
  private List<Op> ops = new ArrayList<>();

  /**
   * A snapshot of the weights.
   *
   * @param normalising whether images come as pixels in [0, 1], to be normalised as the weights say
   */
  InferencePlan(SwavWeights weights, boolean normalising) {
    this.config = weights.config();
    this.type = weights.type();
    this.trunk = Trunk.of(config);
    this.normalising = normalising;
    if (normalising) {
      normalisation(weights);
    }
    for (Trunk.Conv conv : trunk.convolutions()) {
      INDArray factor = factor(weights, conv.norm());
      INDArray kernel = copy(weights, conv.name() + ".weight");
      kernel.reshape(-1, conv.out()).muliRowVector(factor.castTo(type));
      constant(conv.name() + ".weight", kernel);
      constant(conv.name() + ".bias", shift(weights, conv.norm(), factor));
    }
    String first = ParameterShapes.HEAD_FIRST;
    String norm = ParameterShapes.HEAD_NORM;
    INDArray factor = factor(weights, norm);
    constant(
        first + ".weight", copy(weights, first + ".weight").muliColumnVector(factor.castTo(type)));
    INDArray bias = wide(weights, first + ".bias").mul(factor);
    constant(first + ".bias", bias.addi(shift(weights, norm, factor)));
    String second = ParameterShapes.HEAD_SECOND;
    constant(second + ".weight", copy(weights, second + ".weight"));
    constant(second + ".bias", copy(weights, second + ".bias"));
    INDArray prototypes = copy(weights, ParameterShapes.PROTOTYPES);
    INDArray norms = Transforms.max(prototypes.norm2(1), 1e-12);
    constant(ParameterShapes.PROTOTYPES, prototypes.diviColumnVector(norms));
  }

  /**
   * A plan for n images of H × W.
   *
   * @param images the input, {@code [n, C, H, W]}
   * @param features the trunk's output, {@code [n, features]}
   * @param embeddings unit rows, {@code [n, D]}
   * @param scores cosines with the prototypes, {@code [n, K]}
   * @param plan what computes them
   */
  record Made(Value images, Value features, Value embeddings, Value scores, Plan plan) {}

  Made of(long n, long height, long width) {
    ops = new ArrayList<>();
    Value images = Value.input("images", type, n, config.channels(), height, width);
    Value x = normalising ? convolution("normalised", images, 1, 0, false, null) : images;
    x = convolution(trunk.stem(), x, true, null);
    if (trunk.pooled()) {
      Value pooled = Value.result("pooled", type, n, x.size(1), half(x.size(2)), half(x.size(3)));
      emit(OpType.MAX_POOL, Arguments.window(3, 2, 1), List.of(x), pooled);
      x = pooled;
    }
    for (Trunk.Block block : trunk.blocks()) {
      Value shortcut = block.shortcut() == null ? x : convolution(block.shortcut(), x, false, null);
      int last = block.layers().size() - 1;
      for (Trunk.Conv layer : block.layers().subList(0, last)) {
        x = convolution(layer, x, true, null);
      }
      x = convolution(block.layers().get(last), x, true, shortcut);
    }
    Value features = Value.result("features", type, n, config.features());
    emit(OpType.GLOBAL_MEAN, Arguments.NONE, List.of(x), features);
    Value hidden = linear(ParameterShapes.HEAD_FIRST, features, config.hidden(), true);
    Value projection = linear(ParameterShapes.HEAD_SECOND, hidden, config.dim(), false);
    Value embeddings = Value.result("embeddings", type, n, config.dim());
    emit(OpType.NORMALIZE_ROWS, Arguments.NONE, List.of(projection), embeddings);
    Value scores = Value.result("scores", type, n, config.prototypes());
    emit(
        OpType.MATMUL,
        Arguments.transpose(false, true),
        List.of(embeddings, constants.get(ParameterShapes.PROTOTYPES)),
        scores);
    Plan plan = new Plan(List.of(images), List.of(features, embeddings, scores), ops, List.of());
    return new Made(images, features, embeddings, scores, plan);
  }

  private static long half(long size) {
    return (size - 1) / 2 + 1;
  }

  private Value convolution(Trunk.Conv conv, Value x, boolean relu, Value residual) {
    return convolution(conv.name(), x, conv.stride(), conv.padding(), relu, residual);
  }

  private Value convolution(
      String name, Value x, int stride, int padding, boolean relu, Value residual) {
    Value kernel = constants.get(name + ".weight");
    int side = (int) kernel.size(0);
    Value y =
        Value.result(
            name,
            type,
            x.size(0),
            kernel.size(3),
            (x.size(2) + 2L * padding - side) / stride + 1,
            (x.size(3) + 2L * padding - side) / stride + 1);
    List<Value> inputs = new ArrayList<>(List.of(x, kernel, constants.get(name + ".bias")));
    Arguments arguments = Arguments.window(side, stride, padding).withBias();
    if (residual != null) {
      inputs.add(residual);
      arguments = arguments.withResidual();
    }
    emit(OpType.CONV2D, relu ? arguments.withRelu() : arguments, inputs, y);
    return y;
  }

  private Value linear(String name, Value x, long out, boolean relu) {
    Value product = Value.result(name + ".product", type, x.size(0), out);
    emit(
        OpType.MATMUL,
        Arguments.transpose(false, true),
        List.of(x, constants.get(name + ".weight")),
        product);
    Value y = Value.result(name, type, x.size(0), out);
    emit(
        OpType.ADD,
        relu ? Arguments.NONE.withRelu() : Arguments.NONE,
        List.of(product, constants.get(name + ".bias")),
        y);
    return y;
  }

  private void emit(OpType operation, Arguments arguments, List<Value> in, Value out) {
    ops.add(new Op(operation, in, List.of(out), arguments));
  }

  /**
   * (pixel − mean) / deviation as a 1×1 convolution. It can't be folded into the stem: that pads
   * with zeros, which are mean grey, not black.
   */
  private void normalisation(SwavWeights weights) {
    int channels = config.channels();
    INDArray kernel = Nd4j.zeros(DataType.DOUBLE, 1, 1, channels, channels);
    INDArray bias = Nd4j.zeros(DataType.DOUBLE, channels);
    for (int c = 0; c < channels; c++) {
      double deviation = weights.deviation().get(c);
      kernel.putScalar(new long[] {0, 0, c, c}, 1 / deviation);
      bias.putScalar(c, -weights.mean().get(c) / deviation);
    }
    constant("normalised.weight", kernel);
    constant("normalised.bias", bias);
  }

  /** Takes over an array that nobody else holds. */
  private void constant(String name, INDArray array) {
    constants.put(name, Value.constant(name, array.castTo(type)));
  }

  private static INDArray copy(SwavWeights weights, String name) {
    return weights.parameters().get(name).dup('c');
  }

  /** Gives the weights' memory back, for encoders may be made at every epoch's end. */
  @Override
  public void close() {
    constants.values().forEach(value -> value.array().close());
    constants.clear();
  }

  private static INDArray factor(SwavWeights weights, String norm) {
    INDArray variance = wide(weights, norm + ".running_var");
    return wide(weights, norm + ".weight")
        .div(Transforms.sqrt(variance.add(ParameterShapes.EPSILON)));
  }

  private static INDArray shift(SwavWeights weights, String norm, INDArray factor) {
    return wide(weights, norm + ".bias").sub(wide(weights, norm + ".running_mean").mul(factor));
  }

  private static INDArray wide(SwavWeights weights, String name) {
    INDArray parameter = weights.parameters().get(name);
    return (parameter != null ? parameter : weights.statistics().get(name)).castTo(DataType.DOUBLE);
  }
}
