package org.swav4j.model;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.PaddingMode;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Pooling2DConfig;

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
    Trunk trunk = Trunk.of(weights.config());
    GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .dataType(weights.type())
            .convolutionMode(ConvolutionMode.Truncate)
            .graphBuilder()
            .addInputs(IMAGES);
    String x = rectified(builder, normalised(builder, trunk.stem(), IMAGES), "relu");
    if (trunk.pooled()) {
      builder.addLayer(
          "maxpool",
          new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
              .kernelSize(3, 3)
              .stride(2, 2)
              .padding(1, 1)
              .build(),
          x);
      x = "maxpool";
    }
    for (Trunk.Block block : trunk.blocks()) {
      x = block(builder, block, x);
    }
    builder.addLayer(FEATURES, new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), x);
    ComputationGraph graph = new ComputationGraph(builder.setOutputs(FEATURES).build());
    graph.init();
    for (Trunk.Conv conv : trunk.convolutions()) {
      fill(graph, conv, weights);
    }
    return graph;
  }

  private static String block(GraphBuilder builder, Trunk.Block block, String input) {
    String x = input;
    for (int i = 0; i < block.layers().size(); i++) {
      x = normalised(builder, block.layers().get(i), x);
      if (i < block.layers().size() - 1) {
        x = rectified(builder, x, x + ".relu");
      }
    }
    String shortcut =
        block.shortcut() == null ? input : normalised(builder, block.shortcut(), input);
    String sum = x + ".add";
    builder.addVertex(sum, new ElementWiseVertex(ElementWiseVertex.Op.Add), x, shortcut);
    return rectified(builder, sum, x + ".relu");
  }

  private static String normalised(GraphBuilder builder, Trunk.Conv conv, String input) {
    builder.addLayer(
        conv.name(),
        new ConvolutionLayer.Builder(conv.kernel(), conv.kernel())
            .nIn(conv.in())
            .nOut(conv.out())
            .stride(conv.stride(), conv.stride())
            .padding(conv.padding(), conv.padding())
            .hasBias(false)
            .activation(Activation.IDENTITY)
            .build(),
        input);
    builder.addLayer(
        conv.norm(),
        new BatchNormalization.Builder()
            .nIn(conv.out())
            .nOut(conv.out())
            .eps(ParameterShapes.EPSILON)
            .decay(0.9)
            .useLogStd(false)
            .build(),
        conv.name());
    return conv.norm();
  }

  /** A layer of its own: DL4J's batch norm ignores an activation it is given. */
  private static String rectified(GraphBuilder builder, String input, String name) {
    builder.addLayer(
        name, new ActivationLayer.Builder().activation(Activation.RELU).build(), input);
    return name;
  }

  private static void fill(ComputationGraph graph, Trunk.Conv conv, SwavWeights weights) {
    INDArray kernel = weights.parameters().get(conv.name() + ".weight");
    graph.getLayer(conv.name()).getParam("W").assign(kernel.permute(3, 2, 0, 1));
    Layer norm = graph.getLayer(conv.norm());
    norm.getParam("gamma").assign(row(weights.parameters().get(conv.norm() + ".weight")));
    norm.getParam("beta").assign(row(weights.parameters().get(conv.norm() + ".bias")));
    norm.getParam("mean").assign(row(weights.statistics().get(conv.norm() + ".running_mean")));
    norm.getParam("var").assign(row(weights.statistics().get(conv.norm() + ".running_var")));
  }

  private static INDArray row(INDArray vector) {
    return vector.reshape(1, vector.length());
  }

  /**
   * The trunk as a SameDiff graph of stock ops over constants, from the placeholder {@link #IMAGES}
   * to {@link #FEATURES}. It can be saved with {@code save(File, false)}, loaded anywhere, and
   * extended: what is trained behind {@link #FEATURES} leaves the trunk as it is.
   */
  public static SameDiff sameDiff(SwavWeights weights) {
    Trunk trunk = Trunk.of(weights.config());
    SameDiff sd = SameDiff.create();
    SDVariable images =
        sd.placeHolder(IMAGES, weights.type(), -1, weights.config().channels(), -1, -1);
    SDVariable x = sd.nn().relu(normalised(sd, trunk.stem(), weights, images), 0);
    if (trunk.pooled()) {
      Pooling2DConfig window =
          Pooling2DConfig.builder()
              .kH(3)
              .kW(3)
              .sH(2)
              .sW(2)
              .pH(1)
              .pW(1)
              .paddingMode(PaddingMode.VALID)
              .isNHWC(false)
              .build();
      x = sd.cnn().maxPooling2d(x, window);
    }
    for (Trunk.Block block : trunk.blocks()) {
      SDVariable y = x;
      for (Trunk.Conv conv : block.layers()) {
        y = normalised(sd, conv, weights, y == x ? x : sd.nn().relu(y, 0));
      }
      SDVariable shortcut =
          block.shortcut() == null ? x : normalised(sd, block.shortcut(), weights, x);
      x = sd.nn().relu(y.add(shortcut), 0);
    }
    x.mean(FEATURES, 2, 3);
    sd.setOutputs(FEATURES);
    return sd;
  }

  private static SDVariable normalised(
      SameDiff sd, Trunk.Conv conv, SwavWeights weights, SDVariable x) {
    Conv2DConfig window =
        Conv2DConfig.builder()
            .kH(conv.kernel())
            .kW(conv.kernel())
            .sH(conv.stride())
            .sW(conv.stride())
            .pH(conv.padding())
            .pW(conv.padding())
            .paddingMode(PaddingMode.VALID)
            .dataFormat("NCHW")
            .build();
    SDVariable kernel = constant(sd, conv.name() + ".weight", weights);
    return sd.nn()
        .batchNorm(
            sd.cnn().conv2d(x, kernel, window),
            constant(sd, conv.norm() + ".running_mean", weights),
            constant(sd, conv.norm() + ".running_var", weights),
            constant(sd, conv.norm() + ".weight", weights),
            constant(sd, conv.norm() + ".bias", weights),
            ParameterShapes.EPSILON,
            1);
  }

  private static SDVariable constant(SameDiff sd, String name, SwavWeights weights) {
    INDArray parameter = weights.parameters().get(name);
    INDArray array = parameter != null ? parameter : weights.statistics().get(name);
    return sd.constant(name, array.dup('c'));
  }
}
