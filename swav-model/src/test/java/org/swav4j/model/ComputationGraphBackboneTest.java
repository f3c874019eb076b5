package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.swav4j.model.ArrayAssert.assertExact;
import static org.swav4j.model.ArrayAssert.difference;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.LossFunctions;
import org.swav4j.model.engine.Nd4jEngine;

class ComputationGraphBackboneTest {
  private static final SwavConfig AROUND = SwavConfig.aroundBackbone(3, 12, 8, 5, 0.1);

  private static GraphBuilder builder() {
    return new NeuralNetConfiguration.Builder()
        .seed(5)
        .dataType(DataType.DOUBLE)
        .graphBuilder()
        .addInputs("in");
  }

  private static ConvolutionLayer.Builder convolution(int in, int out, int kernel) {
    return new ConvolutionLayer.Builder(kernel, kernel)
        .nIn(in)
        .nOut(out)
        .hasBias(false)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.IDENTITY);
  }

  private static BatchNormalization.Builder norm(int channels) {
    return new BatchNormalization.Builder().nIn(channels).nOut(channels);
  }

  private static Layer relu() {
    return new ActivationLayer.Builder().activation(Activation.RELU).build();
  }

  private static Layer leakyRelu() {
    return new ActivationLayer.Builder().activation(new ActivationLReLU(0.1)).build();
  }

  private static SubsamplingLayer.Builder pool(SubsamplingLayer.PoolingType type) {
    return new SubsamplingLayer.Builder(type).kernelSize(2, 2).stride(2, 2);
  }

  /** Closes the trunk by a mean and a classifier of three kinds, and draws every parameter. */
  private static ComputationGraph closed(GraphBuilder trunk, String last, int channels) {
    ComputationGraph graph =
        new ComputationGraph(
            trunk
                .addLayer("mean", new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), last)
                .addLayer(
                    "classes",
                    new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                        .nIn(channels)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "mean")
                .setOutputs("classes")
                .build());
    graph.init();
    graph
        .params()
        .assign(
            TrainedWeights.uniform(
                new Random(7), 0.05, 0.6, DataType.DOUBLE, graph.params().shape()))
        .subi(0.2);
    for (String name : graph.getConfiguration().getVertices().keySet()) {
      var layer = graph.getLayer(name);
      if (layer != null && layer.conf().getLayer() instanceof BatchNormalization) {
        INDArray variance = layer.getParam("var");
        (variance == null ? layer.getParam("log10stdev") : variance).addi(0.5);
      }
    }
    return graph;
  }

  /** Every kind of layer that is converted. */
  private static ComputationGraph graph() {
    GraphBuilder trunk =
        builder()
            .addLayer(
                "a", convolution(3, 4, 3).hasBias(true).activation(Activation.RELU).build(), "in")
            .addLayer("b", convolution(4, 4, 3).build(), "a")
            .addLayer("b.norm", norm(4).useLogStd(false).build(), "b")
            .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "b.norm", "a", "b")
            .addLayer("sum.norm", norm(4).build(), "sum")
            .addLayer("sum.relu", relu(), "sum.norm")
            .addLayer("max", pool(SubsamplingLayer.PoolingType.MAX).build(), "sum.relu")
            .addLayer(
                "c",
                convolution(4, 6, 3)
                    .convolutionMode(ConvolutionMode.Truncate)
                    .stride(2, 2)
                    .padding(1, 1)
                    .build(),
                "max")
            .addLayer("average", pool(SubsamplingLayer.PoolingType.AVG).build(), "c")
            .addLayer(
                "identity",
                new ActivationLayer.Builder().activation(Activation.IDENTITY).build(),
                "average");
    return closed(trunk, "identity", 6);
  }

  /** What networks of Deeplearning4j's zoo have beside, ending in maps. */
  private static ComputationGraph zooLike() {
    GraphBuilder trunk =
        builder()
            .addLayer("zeros", new ZeroPaddingLayer(2, 2, 2, 2), "in")
            .addLayer(
                "a",
                convolution(3, 4, 3).convolutionMode(ConvolutionMode.Truncate).stride(2, 2).build(),
                "zeros")
            .addLayer("leaky", leakyRelu(), "a")
            .addLayer(
                "uneven",
                pool(SubsamplingLayer.PoolingType.MAX)
                    .kernelSize(3, 3)
                    .convolutionMode(ConvolutionMode.Same)
                    .build(),
                "leaky")
            .addLayer("dropout", new DropoutLayer(0.5), "uneven")
            .addLayer(
                "left",
                convolution(4, 3, 1)
                    .stride(2, 2)
                    .activation(new ActivationLReLU(0.2))
                    .hasBias(true)
                    .dropOut(0.5)
                    .build(),
                "dropout")
            .addLayer(
                "right",
                pool(SubsamplingLayer.PoolingType.AVG)
                    .convolutionMode(ConvolutionMode.Same)
                    .build(),
                "dropout")
            .addVertex("joined", new MergeVertex(), "left", "right", "left")
            .addLayer(
                "wide",
                pool(SubsamplingLayer.PoolingType.AVG)
                    .kernelSize(3, 3)
                    .stride(1, 1)
                    .convolutionMode(ConvolutionMode.Same)
                    .build(),
                "joined")
            .inputPreProcessor("a", new FeedForwardToCnnPreProcessor(22, 25, 3));
    return closed(trunk, "wide", 10);
  }

  /** What {@link SwavEncoder} gives, from what the graph gives at a vertex. */
  private static INDArray features(ComputationGraph graph, String vertex, INDArray images) {
    INDArray y = graph.feedForward(images, false).get(vertex);
    return y.rank() == 4 ? y.mean(2, 3) : y;
  }

  @ParameterizedTest
  @CsvSource({"plain,mean,18,21", "zoo,wide,18,21", "zoo,mean,16,24", "zoo,dropout,15,16"})
  void featuresAreTheGraphs(String kind, String vertex, int height, int width) {
    ComputationGraph graph = kind.equals("zoo") ? zooLike() : graph();
    ComputationGraphBackbone backbone = ComputationGraphBackbone.of(graph, "mine", vertex);
    SwavWeights weights = backbone.weights(graph, AROUND, 1);
    INDArray images = TrainedWeights.images(1, DataType.DOUBLE, 2, 3, height, width);
    INDArray expected = features(graph, vertex, images);
    assertThat(expected.norm2Number().doubleValue()).isGreaterThan(0.1);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights, new Nd4jEngine())) {
      assertThat(difference(encoder.features(images), expected)).isLessThan(1e-9);
    }
    assertThat(difference(Dl4jExport.computationGraph(weights).outputSingle(images), expected))
        .isLessThan(1e-9);
  }

  @ParameterizedTest
  @CsvSource({"plain,mean", "zoo,wide"})
  void aGraphIsPretrainedAndGetsItsWeightsBack(String kind, String vertex) {
    ComputationGraph graph = kind.equals("zoo") ? zooLike() : graph();
    INDArray classifier = graph.getLayer("classes").getParam("W").dup();
    ComputationGraphBackbone backbone = ComputationGraphBackbone.of(graph, "mine", vertex);
    SwavWeights weights = backbone.weights(graph, AROUND, 1);
    List<CropGroup> crops = List.of(new CropGroup(2, 12));
    try (TrainingStep step = new TrainingStep(weights, crops, 4, 2, new Nd4jEngine())) {
      step.crops(0).assign(TrainedWeights.images(1, DataType.DOUBLE, step.crops(0).shape()));
      for (int i = 0; i < 5; i++) {
        step.forward();
        step.codes()
            .assign(
                TrainedWeights.uniform(
                    new Random(3), 0, 0.4, DataType.DOUBLE, step.codes().shape()));
        step.backward();
        step.gradients().forEach((name, g) -> weights.parameters().get(name).subi(g.mul(0.1)));
      }
    }
    INDArray images = TrainedWeights.images(2, DataType.DOUBLE, 2, 3, 18, 21);
    INDArray before = features(graph, vertex, images).dup();
    backbone.writeTo(graph, weights);
    INDArray after = features(graph, vertex, images);
    assertThat(difference(after, before)).isGreaterThan(1e-3);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights, new Nd4jEngine())) {
      assertThat(difference(encoder.features(images), after)).isLessThan(1e-9);
    }
    assertExact("classes", graph.getLayer("classes").getParam("W"), classifier);
  }

  @Test
  void whatCannotBeConvertedIsNamed() {
    assertRefused("lrn", new LocalResponseNormalization(), "\"lrn\", a LocalResponseNormalization");
    assertRefused(
        "tanh",
        new ActivationLayer.Builder().activation(Activation.TANH).build(),
        "\"tanh\", a ActivationLayer, can't be converted for the activation tanh");
    assertRefused("wide", convolution(3, 3, 3).stride(2, 2).build(), "mode Same with a stride");
    assertRefused(
        "oblong",
        new ConvolutionLayer.Builder(3, 5).nIn(3).nOut(3).activation(Activation.RELU).build(),
        "a window of side [3, 5]");
    assertRefused("holes", convolution(3, 3, 3).dilation(2, 2).build(), "for dilation");
    assertRefused(
        "up",
        new Deconvolution2D.Builder(2, 2).nIn(3).nOut(3).activation(Activation.RELU).build(),
        "\"up\", a Deconvolution2D");
    assertRefused("norm", norm(3).eps(1e-3).build(), "the epsilon 0.001");
    assertRefused(
        "sigmoid",
        convolution(3, 3, 3).activation(Activation.SIGMOID).build(),
        "\"sigmoid\", a ConvolutionLayer, can't be converted for the activation sigmoid");
    assertRefused(
        "counted",
        pool(SubsamplingLayer.PoolingType.AVG)
            .convolutionMode(ConvolutionMode.Same)
            .avgPoolIncludePadInDivisor(true)
            .build(),
        "average pooling of padding");
    assertRefused("zeros", new ZeroPaddingLayer(1, 1, 2, 2), "for uneven padding [1, 1, 2, 2]");
    assertRefused(
        "zeros",
        new ZeroPaddingLayer(1, 1, 1, 1),
        "\"zeros\", a ZeroPaddingLayer, can't be" + " converted for what reads it, \"mean\"");
    assertRefused(
        "norm2", pool(SubsamplingLayer.PoolingType.PNORM).pnorm(2).build(), "the pooling PNORM");
    GraphBuilder scaled =
        builder()
            .addLayer("a", convolution(3, 2, 1).build(), "in")
            .addVertex("both", new ScaleVertex(2), "a");
    ComputationGraph graph = closed(scaled, "both", 2);
    assertThatThrownBy(() -> ComputationGraphBackbone.of(graph, "mine", "mean"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"both\", a ScaleVertex")
        .hasMessageContaining("Converted are ConvolutionLayer, BatchNormalization");
    assertThatThrownBy(() -> ComputationGraphBackbone.of(graph, "mine", "pool5"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no vertex \"pool5\"")
        .hasMessageContaining("both");
    GraphBuilder padded =
        builder()
            .addLayer("zeros", new ZeroPaddingLayer(2, 2, 2, 2), "in")
            .addLayer("a", convolution(3, 2, 3).build(), "zeros");
    ComputationGraph tooWide = closed(padded, "a", 2);
    assertThatThrownBy(() -> ComputationGraphBackbone.of(tooWide, "mine", "mean"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"zeros\", a ZeroPaddingLayer")
        .hasMessageContaining("\"a\", which is no convolution or has a window no larger");
    assertThatThrownBy(() -> ComputationGraphBackbone.of(tooWide, "mine", "zeros"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"zeros\", a ZeroPaddingLayer")
        .hasMessageContaining("the features");
  }

  private static void assertRefused(String name, Layer layer, String message) {
    ComputationGraph graph = closed(builder().addLayer(name, layer, "in"), name, 3);
    assertThatThrownBy(() -> ComputationGraphBackbone.of(graph, "mine", "mean"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("Converted are ConvolutionLayer, BatchNormalization");
  }
}
