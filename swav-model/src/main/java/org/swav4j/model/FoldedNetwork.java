package org.swav4j.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.scalar.LeakyReLU;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.NativeOp;
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
final class FoldedNetwork implements AutoCloseable {
  /** A convolution by which pixels are normalised. */
  private static final String NORMALISED = "normalised";

  private final SwavConfig config;
  private final DataType type;
  private final boolean normalising;
  private final long width;
  private final FoldedLayers.Node trunk;
  private final Map<String, Value> constants = new HashMap<>();

  /**
   * A snapshot of the weights.
   *
   * @param normalising whether images come as pixels in [0, 1], to be normalised as the weights say
   */
  FoldedNetwork(SwavWeights weights, boolean normalising) {
    this.config = weights.config();
    this.type = weights.type();
    this.normalising = normalising;
    this.width = weights.features();
    if (normalising) {
      normalisation(weights);
    }
    trunk = FoldedLayers.of(weights.backbone());
    FoldedLayers.each(trunk, node -> fold(node, weights));
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

  /** The constants of one node of the trunk. */
  private void fold(FoldedLayers.Node node, SwavWeights weights) {
    if (node instanceof FoldedLayers.Convolved c) {
      String name = c.convolution().name();
      INDArray kernel = copy(weights, name + ".weight");
      INDArray bias =
          c.convolution().bias()
              ? wide(weights, name + ".bias")
              : Nd4j.zeros(DataType.DOUBLE, c.convolution().out());
      if (c.norm() != null) {
        INDArray factor = factor(weights, c.norm());
        kernel.reshape(-1, c.convolution().out()).muliRowVector(factor.castTo(type));
        INDArray shift = shift(weights, c.norm(), factor);
        bias = c.convolution().bias() ? bias.mul(factor).addi(shift) : shift;
      }
      constant(name + ".weight", kernel);
      constant(name + ".bias", bias);
    } else if (node instanceof FoldedLayers.Normed n) {
      INDArray factor = factor(weights, n.norm());
      diagonal(n.norm(), factor, shift(weights, n.norm(), factor));
    }
  }

  /** ND4J's pooling, without padding or by {@code SAME}. */
  private static Arguments pooling(String op, Backbone.Window w) {
    int square = w.kernel();
    int stride = w.stride();
    int same = w.same() ? 1 : 0;
    // kH, kW, sH, sW, pH, pW, dH, dW, whether Same, whether padding counts, whether NHWC
    return Arguments.of(
        new NativeOp(
            DynamicCustomOp.builder(op)
                .addIntegerArguments(square, square, stride, stride, 0, 0, 1, 1, same, 0, 0)
                .build()));
  }

  /** ND4J's older op for it: its custom op keeps the slope as a float. */
  private Arguments leakyRelu(double slope) {
    return Arguments.of(new NativeOp(new LeakyReLU(Nd4j.scalar(type, 0), slope)));
  }

  /** ND4J's concatenation of channels. */
  private static Arguments concatenation() {
    return Arguments.of(
        new NativeOp(DynamicCustomOp.builder("concat").addIntegerArguments(1).build()));
  }

  /** A 1×1 convolution that scales each channel, and shifts it. */
  private void diagonal(String name, INDArray factor, INDArray shift) {
    long channels = factor.length();
    INDArray kernel = Nd4j.zeros(DataType.DOUBLE, 1, 1, channels, channels);
    for (long c = 0; c < channels; c++) {
      kernel.putScalar(new long[] {0, 0, c, c}, factor.getDouble(c));
    }
    constant(name + ".weight", kernel);
    constant(name + ".bias", shift);
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
  record Inference(Value images, Value features, Value embeddings, Value scores, Plan plan) {}

  Inference plan(long n, long height, long width) {
    return new Writer().write(n, height, width);
  }

  /** Writes one plan. */
  private final class Writer {
    private final List<Op> ops = new ArrayList<>();
    private final Map<FoldedLayers.Node, Value> values = new IdentityHashMap<>();
    private Value start;

    Inference write(long n, long height, long width) {
      Value images = Value.input("images", type, n, config.channels(), height, width);
      start =
          normalising
              ? convolution(NORMALISED, images, new Backbone.Window(1, 1, 0), false, null)
              : images;
      Value features = value(trunk);
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
      return new Inference(images, features, embeddings, scores, plan);
    }

    /** What a node makes, with everything before it written. */
    private Value value(FoldedLayers.Node node) {
      Value known = values.get(node);
      if (known == null) {
        known = written(node);
        values.put(node, known);
      }
      return known;
    }

    private Value written(FoldedLayers.Node node) {
      if (node instanceof FoldedLayers.Convolved c) {
        // The residual first: so no more than one of a block's results waits for it.
        Value residual = c.residual() == null ? null : value(c.residual());
        Backbone.Convolution layer = c.convolution();
        return convolution(layer.name(), value(c.x()), layer.window(), c.relu(), residual);
      }
      if (node instanceof FoldedLayers.Normed n) {
        return convolution(n.norm(), value(n.x()), new Backbone.Window(1, 1, 0), n.relu(), null);
      }
      if (node instanceof FoldedLayers.Averaged a) {
        Value x = value(a.x());
        Value y = pooled(a.name(), x, a.window());
        return emit(OpType.ND4J, pooling("avgpool2d", a.window()), List.of(x), y);
      }
      if (node instanceof FoldedLayers.Rectified r) {
        Value x = value(r.x());
        return emit(OpType.RELU, Arguments.NONE, List.of(x), result(r.name(), x.shape()));
      }
      if (node instanceof FoldedLayers.Leaky l) {
        Value x = value(l.x());
        return emit(OpType.ND4J, leakyRelu(l.slope()), List.of(x), result(l.name(), x.shape()));
      }
      if (node instanceof FoldedLayers.Joined j) {
        Value a = value(j.a());
        Value b = value(j.b());
        Value y = result(j.name(), a.size(0), a.size(1) + b.size(1), a.size(2), a.size(3));
        return emit(OpType.ND4J, concatenation(), List.of(a, b), y);
      }
      if (node instanceof FoldedLayers.Added s) {
        Value b = value(s.b());
        Value a = value(s.a());
        Arguments arguments = s.relu() ? Arguments.NONE.withRelu() : Arguments.NONE;
        return emit(OpType.ADD, arguments, List.of(a, b), result(s.name(), a.shape()));
      }
      if (node instanceof FoldedLayers.Pooled p) {
        Value x = value(p.x());
        Backbone.Window w = p.window();
        Value y = pooled(p.name(), x, w);
        return w.same()
            ? emit(OpType.ND4J, pooling("maxpool2d", w), List.of(x), y)
            : emit(
                OpType.MAX_POOL,
                Arguments.window(w.kernel(), w.stride(), w.padding()),
                List.of(x),
                y);
      }
      if (node instanceof FoldedLayers.Averages m) {
        Value x = value(m.x());
        return emit(
            OpType.GLOBAL_MEAN, Arguments.NONE, List.of(x), result("features", x.size(0), width));
      }
      return start;
    }

    private Value pooled(String name, Value x, Backbone.Window w) {
      return result(name, x.size(0), x.size(1), side(x.size(2), w, name), side(x.size(3), w, name));
    }

    private long side(long side, Backbone.Window w, String layer) {
      if (w.same()) {
        return (side + w.stride() - 1) / w.stride();
      }
      long out = (side + 2L * w.padding() - w.kernel()) / w.stride() + 1;
      if (side + 2L * w.padding() < w.kernel()) {
        throw new IllegalArgumentException(
            "layer "
                + layer
                + " is given maps of side "
                + side
                + ", its window has side "
                + w.kernel()
                + ": the images are too small for this trunk");
      }
      return out;
    }

    private Value result(String name, long... shape) {
      return Value.result(name, type, shape);
    }

    private Value convolution(
        String name, Value x, Backbone.Window window, boolean relu, Value residual) {
      Value kernel = constants.get(name + ".weight");
      Value y =
          result(
              name,
              x.size(0),
              kernel.size(3),
              side(x.size(2), window, name),
              side(x.size(3), window, name));
      List<Value> inputs = new ArrayList<>(List.of(x, kernel, constants.get(name + ".bias")));
      Arguments arguments =
          Arguments.window(window.kernel(), window.stride(), window.padding()).withBias();
      if (residual != null) {
        inputs.add(residual);
        arguments = arguments.withResidual();
      }
      return emit(OpType.CONV2D, relu ? arguments.withRelu() : arguments, inputs, y);
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

    private Value emit(OpType operation, Arguments arguments, List<Value> in, Value out) {
      ops.add(new Op(operation, in, List.of(out), arguments));
      return out;
    }
  }

  /**
   * (pixel − mean) / deviation as a 1×1 convolution. It can't be folded into the stem: that pads
   * with zeros, which are mean grey, not black.
   */
  private void normalisation(SwavWeights weights) {
    INDArray deviation = Nd4j.createFromArray(weights.deviation().toArray(Double[]::new));
    INDArray mean = Nd4j.createFromArray(weights.mean().toArray(Double[]::new));
    diagonal(NORMALISED, deviation.rdiv(1), mean.div(deviation).neg());
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
    return weights.array(name).castTo(DataType.DOUBLE);
  }
}
