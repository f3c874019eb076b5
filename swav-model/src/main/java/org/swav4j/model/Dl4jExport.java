package org.swav4j.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The trained trunk as Deeplearning4j's own models, for fine-tuning and for programs that know
 * nothing of swav4j. Both take normalised images {@code [n, C, H, W]} of any size, RGB, and give
 * the features before the projection head, {@code [n, features]}; they hold copies of the weights.
 *
 * <p>To normalise, subtract {@link SwavWeights#mean} and divide by {@link SwavWeights#deviation}.
 */
public final class Dl4jExport {
  /** Name of the input, of both models. */
  public static final String IMAGES = "images";

  /** Name of the output, of both models: the mean of the last feature map. */
  public static final String FEATURES = "features";

  private Dl4jExport() {}

  /**
   * The trunk as a graph of ordinary layers, ready for {@code TransferLearning}: {@code new
   * TransferLearning.GraphBuilder(graph).setFeatureExtractor(Dl4jExport.FEATURES)} keeps it as it
   * is, running statistics included, and trains what is added behind. Vertices carry torchvision's
   * names ({@code layer2.0.conv1}).
   */
  public static ComputationGraph computationGraph(SwavWeights weights) {
    GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .dataType(weights.type())
            .convolutionMode(ConvolutionMode.Truncate)
            .graphBuilder()
            .addInputs(IMAGES);
    VertexLayers vertices = new VertexLayers(builder, weights);
    weights.backbone().features(new Vertex(IMAGES, weights.config().channels()), vertices);
    ComputationGraph graph = new ComputationGraph(builder.setOutputs(FEATURES).build());
    graph.init();
    vertices.fill(graph);
    return graph;
  }

  /** A vertex by its name, and the channels of what it gives. */
  private record Vertex(String name, int channels) {}

  /** A backbone's layers as vertices under the layers' names, and where there are none, made-up. */
  private static final class VertexLayers implements Backbone.Layers<Vertex> {
    private final GraphBuilder builder;
    private final SwavWeights weights;
    private final List<Backbone.Convolution> convolutions = new ArrayList<>();
    private final List<String> norms = new ArrayList<>();
    private final Set<String> taken = new HashSet<>();

    VertexLayers(GraphBuilder builder, SwavWeights weights) {
      this.builder = builder;
      this.weights = weights;
      for (String parameter : weights.parameters().keySet()) {
        taken.add(parameter.substring(0, parameter.lastIndexOf('.')));
      }
    }

    private String free(String name) {
      String free = name;
      for (int i = 2; !taken.add(free); i++) {
        free = name + i;
      }
      return free;
    }

    private Vertex layer(String name, Layer layer, Vertex x, int channels) {
      builder.addLayer(name, layer, x.name);
      return new Vertex(name, channels);
    }

    @Override
    public Vertex convolution(Vertex x, Backbone.Convolution c) {
      convolutions.add(c);
      Backbone.Window w = c.window();
      return layer(
          c.name(),
          new ConvolutionLayer.Builder(w.kernel(), w.kernel())
              .nIn(c.in())
              .nOut(c.out())
              .stride(w.stride(), w.stride())
              .padding(w.padding(), w.padding())
              .hasBias(c.bias())
              .activation(Activation.IDENTITY)
              .build(),
          x,
          c.out());
    }

    @Override
    public Vertex norm(Vertex x, String name) {
      norms.add(name);
      return layer(
          name,
          new BatchNormalization.Builder()
              .nIn(x.channels)
              .nOut(x.channels)
              .eps(ParameterShapes.EPSILON)
              .decay(0.9)
              .useLogStd(false)
              .build(),
          x,
          x.channels);
    }

    @Override
    public Vertex relu(Vertex x) {
      return activation(x, new ActivationReLU());
    }

    @Override
    public Vertex leakyRelu(Vertex x, double slope) {
      return activation(x, new ActivationLReLU(slope));
    }

    /** A layer of its own: DL4J's batch norm ignores an activation it is given. */
    private Vertex activation(Vertex x, IActivation activation) {
      String of = x.name.endsWith(".add") ? x.name.substring(0, x.name.length() - 4) : x.name;
      return layer(
          free(of.contains(".") ? of + ".relu" : "relu"),
          new ActivationLayer.Builder().activation(activation).build(),
          x,
          x.channels);
    }

    @Override
    public Vertex add(Vertex a, Vertex b) {
      String name = free(a.name + ".add");
      builder.addVertex(name, new ElementWiseVertex(ElementWiseVertex.Op.Add), a.name, b.name);
      return new Vertex(name, a.channels);
    }

    @Override
    public Vertex concat(Vertex a, Vertex b) {
      String name = free(a.name + ".concat");
      builder.addVertex(name, new MergeVertex(), a.name, b.name);
      return new Vertex(name, a.channels + b.channels);
    }

    @Override
    public Vertex maxPool(Vertex x, Backbone.Window window) {
      return pool("maxpool", SubsamplingLayer.PoolingType.MAX, x, window);
    }

    @Override
    public Vertex averagePool(Vertex x, Backbone.Window window) {
      return pool("avgpool", SubsamplingLayer.PoolingType.AVG, x, window);
    }

    private Vertex pool(
        String name, SubsamplingLayer.PoolingType type, Vertex x, Backbone.Window w) {
      SubsamplingLayer.Builder pool =
          new SubsamplingLayer.Builder(type)
              .kernelSize(w.kernel(), w.kernel())
              .stride(w.stride(), w.stride());
      if (w.same()) {
        pool.convolutionMode(ConvolutionMode.Same);
      } else {
        pool.padding(w.padding(), w.padding());
      }
      return layer(free(name), pool.build(), x, x.channels);
    }

    @Override
    public Vertex mean(Vertex x) {
      return layer(
          FEATURES, new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), x, x.channels);
    }

    /** Copies the weights into the graph that was built. */
    void fill(ComputationGraph graph) {
      for (Backbone.Convolution c : convolutions) {
        INDArray kernel = weights.array(c.name() + ".weight");
        graph.getLayer(c.name()).getParam("W").assign(kernel.permute(3, 2, 0, 1));
        if (c.bias()) {
          graph.getLayer(c.name()).getParam("b").assign(row(c.name() + ".bias"));
        }
      }
      for (String name : norms) {
        org.deeplearning4j.nn.api.Layer norm = graph.getLayer(name);
        norm.getParam("gamma").assign(row(name + ".weight"));
        norm.getParam("beta").assign(row(name + ".bias"));
        norm.getParam("mean").assign(row(name + ".running_mean"));
        norm.getParam("var").assign(row(name + ".running_var"));
      }
    }

    private INDArray row(String name) {
      INDArray vector = weights.array(name);
      return vector.reshape(1, vector.length());
    }
  }

  /**
   * The trunk as a SameDiff graph of stock ops over constants, from the placeholder {@link #IMAGES}
   * to {@link #FEATURES}. It can be saved with {@code save(File, false)}, loaded anywhere, and
   * extended: what is trained behind {@link #FEATURES} leaves the trunk as it is.
   */
  public static SameDiff sameDiff(SwavWeights weights) {
    SameDiff sd = SameDiff.create();
    SDVariable images =
        sd.placeHolder(IMAGES, weights.type(), -1, weights.config().channels(), -1, -1);
    weights.backbone().features(images, GraphLayers.inference(sd, weights)).rename(FEATURES);
    sd.setOutputs(FEATURES);
    return sd;
  }
}
