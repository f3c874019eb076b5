package org.swav4j.model;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * A trunk taken from a network of Deeplearning4j, layer by layer: so that SwAV pretrains it without
 * labels and hands the weights back for fine-tuning.
 *
 * <pre>{@code
 * ComputationGraphBackbone backbone = ComputationGraphBackbone.of(graph, "mynet", "globalPool");
 * SwavWeights weights = backbone.weights(graph, SwavConfig.aroundBackbone(3, 512, 128, 300, 0.1), 1);
 * ... train ...
 * backbone.writeTo(graph, weights);
 * }</pre>
 *
 * <p>Converted are convolutions (square, not dilated) with the zero padding before them, batch
 * norms (epsilon 1e-5), rectifiers, leaky ones too, identities, max and average pooling, global
 * average pooling, element-wise sums and merged channels, all in NCHW. Dropout is left out: it
 * means nothing in use, and the graph keeps it for its own training. Any other layer, and any
 * setting that would be lost, is refused by name. Immutable.
 */
public final class ComputationGraphBackbone implements Backbone {
  private static final double LN_10 = Math.log(10);

  private static final String CONVERTED =
      ". Converted are ConvolutionLayer, BatchNormalization, ActivationLayer (RELU, LEAKYRELU,"
          + " IDENTITY), SubsamplingLayer (MAX, AVG), GlobalPoolingLayer (AVG), DropoutLayer,"
          + " ElementWiseVertex (Add), MergeVertex, and ZeroPaddingLayer before a convolution";

  /** What one vertex does to its inputs. */
  private sealed interface Step {}

  private record Convolve(Convolution convolution, Step activation) implements Step {
    Convolve padded(int pixels) {
      Window w = convolution.window();
      return new Convolve(
          new Convolution(
              convolution.name(),
              convolution.in(),
              convolution.out(),
              new Window(w.kernel(), w.stride(), w.padding() + pixels),
              convolution.bias()),
          activation);
    }
  }

  /** Zeros around, which the convolutions that read them take over. */
  private record Pad(int pixels) implements Step {}

  private record Normalise(String name) implements Step {}

  /** Of slope 0 below zero, unless it leaks. */
  private record Rectify(double slope) implements Step {}

  private record Pass() implements Step {}

  private record Pool(Window window, boolean max) implements Step {}

  private record Average() implements Step {}

  private record Sum() implements Step {}

  private record Merge() implements Step {}

  private record Vertex(String name, Step step, List<String> inputs) {}

  private final String name;
  private final String input;
  private final String output;
  private final Map<String, Vertex> vertices = new LinkedHashMap<>();

  private ComputationGraphBackbone(
      String name, ComputationGraphConfiguration graph, String output) {
    this.name = name;
    this.output = output;
    if (graph.getNetworkInputs().size() != 1) {
      throw new IllegalArgumentException(
          "the graph has the inputs " + graph.getNetworkInputs() + ", expected one, the images");
    }
    input = graph.getNetworkInputs().get(0);
    if (!graph.getVertices().containsKey(output)) {
      throw new IllegalArgumentException(
          "the graph has no vertex \""
              + output
              + "\" to take features from: it has "
              + graph.getVertices().keySet());
    }
    add(graph, output);
    require(
        !(vertices.get(output).step instanceof Pad),
        output,
        layer(graph.getVertices().get(output)),
        "what reads it, the features");
  }

  /**
   * The trunk of a graph.
   *
   * @param graph initialised or not; its arrays aren't read
   * @param name what files call the backbone
   * @param features name of the vertex that gives the features: {@code [n, F]} of a global average
   *     pooling, or maps {@code [n, F, h, w]}, whose mean over all pixels they then are; what lies
   *     behind it is left out
   * @throws IllegalArgumentException if a layer can't be converted, naming it, its class and what
   *     can be
   */
  public static ComputationGraphBackbone of(ComputationGraph graph, String name, String features) {
    return new ComputationGraphBackbone(name, graph.getConfiguration(), features);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public <T> T features(T images, Layers<T> layers) {
    Map<String, T> values = new HashMap<>();
    values.put(input, images);
    for (Vertex v : vertices.values()) {
      T x = values.get(v.inputs.get(0));
      if (v.step instanceof Convolve c) {
        x = activated(layers.convolution(x, c.convolution), c.activation, layers);
      } else if (v.step instanceof Normalise n) {
        x = layers.norm(x, n.name);
      } else if (v.step instanceof Rectify) {
        x = activated(x, v.step, layers);
      } else if (v.step instanceof Pool p) {
        x = p.max ? layers.maxPool(x, p.window) : layers.averagePool(x, p.window);
      } else if (v.step instanceof Average) {
        x = layers.mean(x);
      } else if (v.step instanceof Sum) {
        for (String other : v.inputs.subList(1, v.inputs.size())) {
          x = layers.add(x, values.get(other));
        }
      } else if (v.step instanceof Merge) {
        for (String other : v.inputs.subList(1, v.inputs.size())) {
          x = layers.concat(x, values.get(other));
        }
      }
      values.put(v.name, x);
    }
    T features = values.get(output);
    return averaged(output) ? features : layers.mean(features);
  }

  private static <T> T activated(T x, Step activation, Layers<T> layers) {
    if (activation instanceof Rectify r) {
      return r.slope == 0 ? layers.relu(x) : layers.leakyRelu(x, r.slope);
    }
    return x;
  }

  /** Whether what a vertex gives is a mean already, perhaps passed on. */
  private boolean averaged(String vertex) {
    Vertex v = vertices.get(vertex);
    return v != null
        && (v.step instanceof Average || (v.step instanceof Pass && averaged(v.inputs.get(0))));
  }

  /**
   * A network whose trunk has the graph's weights, in its type, and whose head and prototypes are
   * untrained.
   *
   * @param graph that this was made of, initialised
   * @param config see {@link SwavConfig#aroundBackbone}
   * @param seed of the head and the prototypes
   */
  public SwavWeights weights(ComputationGraph graph, SwavConfig config, long seed) {
    SwavWeights weights =
        SwavWeights.initialise(this, config, seed, graph.getConfiguration().getDataType());
    each(
        graph,
        weights,
        new Copying() {
          @Override
          public void copy(INDArray theirs, INDArray ours) {
            ours.assign(theirs);
          }

          @Override
          public void copyVariance(INDArray logDeviation, INDArray variance) {
            variance.assign(Transforms.exp(logDeviation.mul(2 * LN_10)));
          }
        });
    return weights;
  }

  /**
   * Copies a trained trunk into the graph, running statistics included; layers behind the features
   * stay as they are.
   *
   * @param graph that this was made of, or one of the same layers
   * @param weights of this backbone
   */
  public void writeTo(ComputationGraph graph, SwavWeights weights) {
    each(
        graph,
        weights,
        new Copying() {
          @Override
          public void copy(INDArray theirs, INDArray ours) {
            theirs.assign(ours);
          }

          @Override
          public void copyVariance(INDArray logDeviation, INDArray variance) {
            logDeviation.assign(Transforms.log(variance).div(2 * LN_10));
          }
        });
  }

  /** One way or the other between an array of the graph and a view of ours in its shape. */
  private interface Copying {
    void copy(INDArray theirs, INDArray ours);

    /** Deeplearning4j keeps the logarithm of the deviation to base 10, unless told otherwise. */
    void copyVariance(INDArray logDeviation, INDArray variance);
  }

  /** Pairs the graph's arrays with views of the weights in the same shape. */
  private void each(ComputationGraph graph, SwavWeights weights, Copying copying) {
    for (Vertex v : vertices.values()) {
      if (v.step instanceof Convolve c) {
        copying.copy(
            graph.getLayer(v.name).getParam("W"),
            weights.array(v.name + ".weight").permute(3, 2, 0, 1));
        if (c.convolution.bias()) {
          row(graph, v.name, "b", weights.array(v.name + ".bias"), copying);
        }
      } else if (v.step instanceof Normalise) {
        row(graph, v.name, "gamma", weights.array(v.name + ".weight"), copying);
        row(graph, v.name, "beta", weights.array(v.name + ".bias"), copying);
        row(graph, v.name, "mean", weights.array(v.name + ".running_mean"), copying);
        INDArray variance = weights.array(v.name + ".running_var");
        INDArray logDeviation = graph.getLayer(v.name).getParam("log10stdev");
        if (logDeviation == null) {
          row(graph, v.name, "var", variance, copying);
        } else {
          copying.copyVariance(logDeviation, variance.reshape(1, variance.length()));
        }
      }
    }
  }

  private static void row(
      ComputationGraph graph, String vertex, String parameter, INDArray ours, Copying copying) {
    copying.copy(graph.getLayer(vertex).getParam(parameter), ours.reshape(1, ours.length()));
  }

  /** Adds a vertex after those it is computed from. */
  private void add(ComputationGraphConfiguration graph, String vertex) {
    if (vertex.equals(input) || vertices.containsKey(vertex)) {
      return;
    }
    List<String> inputs = graph.getVertexInputs().get(vertex);
    inputs.forEach(in -> add(graph, in));
    Step step = step(vertex, graph.getVertices().get(vertex));
    for (String in : inputs) {
      Vertex before = vertices.get(in);
      if (before != null && before.step instanceof Pad pad) {
        step = padded(graph, step, vertex, in, pad.pixels);
        inputs = before.inputs;
      }
    }
    vertices.put(vertex, new Vertex(vertex, step, inputs));
  }

  /** A convolution with the zeros that a layer before it puts around images. */
  private static Step padded(
      ComputationGraphConfiguration graph, Step step, String name, String padding, int pixels) {
    require(
        step instanceof Convolve c
            && c.convolution.window().padding() + pixels < c.convolution.window().kernel(),
        padding,
        layer(graph.getVertices().get(padding)),
        "what reads it, \""
            + name
            + "\", which is no convolution or has a window no larger than the padding");
    return ((Convolve) step).padded(pixels);
  }

  /** What a message calls a vertex: the layer that it holds, or the vertex itself. */
  private static Object layer(GraphVertex vertex) {
    return vertex instanceof LayerVertex holder ? holder.getLayerConf().getLayer() : vertex;
  }

  private static Step step(String name, GraphVertex vertex) {
    if (vertex instanceof ElementWiseVertex e) {
      require(e.getOp() == ElementWiseVertex.Op.Add, name, vertex, "the operation " + e.getOp());
      return new Sum();
    }
    if (vertex instanceof MergeVertex m) {
      require(m.getMergeAxis() == 1, name, vertex, "the axis " + m.getMergeAxis());
      return new Merge();
    }
    require(vertex instanceof LayerVertex, name, vertex, "that kind of vertex");
    LayerVertex holder = (LayerVertex) vertex;
    Layer layer = holder.getLayerConf().getLayer();
    // Of images it makes what they are: it is for rows of pixels.
    require(
        holder.getPreProcessor() == null
            || holder.getPreProcessor() instanceof FeedForwardToCnnPreProcessor,
        name,
        layer,
        "a preprocessor");
    // Subclasses, such as transposed convolutions, compute something else.
    Class<?> kind = layer.getClass();
    if (kind == ConvolutionLayer.class) {
      return convolution(name, (ConvolutionLayer) layer);
    }
    if (kind == BatchNormalization.class) {
      return norm(name, (BatchNormalization) layer);
    }
    if (kind == ActivationLayer.class) {
      return activation(name, layer, ((ActivationLayer) layer).getActivationFn());
    }
    if (kind == DropoutLayer.class) {
      return new Pass();
    }
    if (kind == ZeroPaddingLayer.class) {
      return padding(name, (ZeroPaddingLayer) layer);
    }
    if (kind == SubsamplingLayer.class) {
      return pool(name, (SubsamplingLayer) layer);
    }
    require(kind == GlobalPoolingLayer.class, name, layer, "that kind of layer");
    GlobalPoolingLayer global = (GlobalPoolingLayer) layer;
    require(
        global.getPoolingType() == PoolingType.AVG && global.isCollapseDimensions(),
        name,
        layer,
        "global pooling " + global.getPoolingType() + ", or kept dimensions");
    return new Average();
  }

  private static Step convolution(String name, ConvolutionLayer layer) {
    require(layer.getCnn2dDataFormat() == CNN2DFormat.NCHW, name, layer, "NHWC");
    Window window =
        window(
            name,
            layer,
            layer.getConvolutionMode(),
            layer.getKernelSize(),
            layer.getStride(),
            layer.getPadding(),
            layer.getDilation());
    require(
        !window.same(),
        name,
        layer,
        "mode Same with a stride or an even side, which pads unevenly");
    return new Convolve(
        new Convolution(
            name,
            Math.toIntExact(layer.getNIn()),
            Math.toIntExact(layer.getNOut()),
            window,
            layer.hasBias()),
        activation(name, layer, layer.getActivationFn()));
  }

  private static Step padding(String name, ZeroPaddingLayer layer) {
    int[] sides = layer.getPadding();
    require(
        Arrays.stream(sides).allMatch(pixels -> pixels == sides[0]),
        name,
        layer,
        "uneven padding " + Arrays.toString(sides));
    return new Pad(sides[0]);
  }

  private static Step norm(String name, BatchNormalization layer) {
    require(layer.getCnn2DFormat() == CNN2DFormat.NCHW, name, layer, "NHWC");
    require(
        layer.getEps() == ParameterShapes.EPSILON, name, layer, "the epsilon " + layer.getEps());
    require(!layer.isLockGammaBeta(), name, layer, "lockGammaBeta");
    return new Normalise(name);
  }

  private static Step pool(String name, SubsamplingLayer layer) {
    PoolingType type = layer.getPoolingType();
    require(layer.getCnn2dDataFormat() == CNN2DFormat.NCHW, name, layer, "NHWC");
    require(type == PoolingType.MAX || type == PoolingType.AVG, name, layer, "the pooling " + type);
    Window window =
        window(
            name,
            layer,
            layer.getConvolutionMode(),
            layer.getKernelSize(),
            layer.getStride(),
            layer.getPadding(),
            layer.getDilation());
    if (type == PoolingType.MAX) {
      return new Pool(window, true);
    }
    boolean same = layer.getConvolutionMode() == ConvolutionMode.Same;
    require(
        same ? !layer.isAvgPoolIncludePadInDivisor() : window.padding() == 0,
        name,
        layer,
        "average pooling of padding");
    return new Pool(
        same ? new Window(window.kernel(), window.stride(), Window.SAME) : window, false);
  }

  private static Window window(
      String name,
      Layer layer,
      ConvolutionMode mode,
      int[] kernel,
      int[] stride,
      int[] padding,
      int[] dilation) {
    for (int[] pair : List.of(kernel, stride, padding)) {
      require(
          pair.length == 2 && pair[0] == pair[1],
          name,
          layer,
          String.format(
              Locale.ROOT,
              "a window of side %s, stride %s and padding %s, not square",
              Arrays.toString(kernel),
              Arrays.toString(stride),
              Arrays.toString(padding)));
    }
    require(Arrays.stream(dilation).allMatch(d -> d == 1), name, layer, "dilation");
    if (mode != ConvolutionMode.Same) {
      require(mode != ConvolutionMode.Causal, name, layer, "causal convolution");
      return new Window(kernel[0], stride[0], padding[0]);
    }
    boolean even = kernel[0] == 1 || (stride[0] == 1 && kernel[0] % 2 == 1);
    return new Window(kernel[0], stride[0], even ? kernel[0] / 2 : Window.SAME);
  }

  private static Step activation(String name, Layer layer, IActivation activation) {
    if (activation instanceof ActivationReLU) {
      return new Rectify(0);
    }
    if (activation instanceof ActivationLReLU leaky) {
      return new Rectify(leaky.getAlpha());
    }
    require(activation instanceof ActivationIdentity, name, layer, "the activation " + activation);
    return new Pass();
  }

  private static void require(boolean convertible, String name, Object layer, String because) {
    if (!convertible) {
      throw new IllegalArgumentException(
          "layer \""
              + name
              + "\", a "
              + layer.getClass().getSimpleName()
              + ", can't be converted for "
              + because
              + CONVERTED);
    }
  }
}
