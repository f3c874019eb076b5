package com.example;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.zoo.ZooModel;
import org.deeplearning4j.zoo.model.Darknet19;
import org.deeplearning4j.zoo.model.LeNet;
import org.deeplearning4j.zoo.model.SimpleCNN;
import org.deeplearning4j.zoo.model.SqueezeNet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.ComputationGraphBackbone;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavEncoder;

/** Other networks of the zoo: which can be trained, and what is said of one that can't. */
class ZooNetworksTest {
  private static final int[] SHAPE = {3, 64, 64};

  /**
   * A network and where its features are taken.
   *
   * @param name of the network
   * @param model makes it
   * @param features vertex before the classifier
   */
  record Network(String name, Supplier<ZooModel> model, String features) {
    /** As a graph, which the older ones aren't. */
    ComputationGraph graph() {
      Model network = model.get().init();
      return network instanceof MultiLayerNetwork layers
          ? layers.toComputationGraph()
          : (ComputationGraph) network;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static List<Network> converted() {
    return List.of(
        new Network(
            "Darknet19",
            () -> Darknet19.builder().inputShape(SHAPE).numClasses(5).build(),
            "activation_18"),
        new Network(
            "SimpleCNN", () -> SimpleCNN.builder().inputShape(SHAPE).numClasses(5).build(), "29"),
        new Network("LeNet", () -> LeNet.builder().inputShape(SHAPE).numClasses(5).build(), "3"));
  }

  @ParameterizedTest
  @MethodSource("converted")
  void featuresAreThoseOfTheNetwork(Network network) {
    ComputationGraph graph = network.graph();
    ComputationGraphBackbone trunk =
        ComputationGraphBackbone.of(graph, network.name, network.features);
    SwavConfig around = SwavConfig.aroundBackbone(3, 16, 8, 4, 0.1);
    INDArray images = Nd4j.rand(DataType.FLOAT, 2, 3, 64, 64);
    INDArray expected = graph.feedForward(images, false).get(network.features).mean(2, 3);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(trunk.weights(graph, around, 1))) {
      double difference = encoder.features(images).sub(expected).norm2Number().doubleValue();
      double relative = difference / expected.norm2Number().doubleValue();
      assertTrue(relative < 1e-4, "relative difference " + relative);
    }
  }

  /** The zoo's SqueezeNet leaves its convolutions Deeplearning4j's default activation. */
  @Test
  void whatIsNotConvertedIsNamed() {
    ComputationGraph graph = SqueezeNet.builder().inputShape(SHAPE).numClasses(5).build().init();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> ComputationGraphBackbone.of(graph, "squeezenet", "fire9"))
            .getMessage();
    assertTrue(
        message.startsWith(
            "layer \"conv1\", a ConvolutionLayer, can't be converted for the activation sigmoid"),
        message);
  }
}
