package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.swav4j.model.ArrayAssert.assertExact;
import static org.swav4j.model.ArrayAssert.difference;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class Dl4jExportTest {
  @TempDir private Path folder;

  private static SwavConfig config(Architecture architecture, Stem stem, int channels) {
    return new SwavConfig(architecture, 0.125, stem, channels, 12, 8, 5, 0.1);
  }

  static List<Arguments> networks() {
    return List.of(
        Arguments.of(Architecture.RESNET20, Stem.SMALL, 1),
        Arguments.of(Architecture.RESNET18, Stem.SMALL, 3),
        Arguments.of(Architecture.RESNET34, Stem.IMAGENET, 3),
        Arguments.of(Architecture.RESNET50, Stem.IMAGENET, 3));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void bothModelsGiveTheSameFeaturesAtTwoSizes(Architecture architecture, Stem stem, int channels) {
    SwavWeights weights =
        TrainedWeights.of(config(architecture, stem, channels), 11, DataType.DOUBLE);
    ComputationGraph graph = Dl4jExport.computationGraph(weights);
    SameDiff sd = Dl4jExport.sameDiff(weights);
    for (int size : new int[] {16, 23}) {
      INDArray images = TrainedWeights.images(size, DataType.DOUBLE, 2, channels, size, size);
      INDArray features = sd.outputSingle(Map.of("images", images), "features");
      assertThat(features.shape()).containsExactly(2, weights.config().features());
      assertThat(features.amaxNumber().doubleValue()).isGreaterThan(0.01);
      assertThat(difference(graph.outputSingle(images), features)).isLessThan(1e-9);
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void savedModelsGiveTheSameFeatures(Architecture architecture, Stem stem, int channels)
      throws IOException {
    SwavWeights weights =
        TrainedWeights.of(config(architecture, stem, channels), 11, DataType.FLOAT);
    INDArray images = TrainedWeights.images(1, DataType.FLOAT, 2, channels, 16, 16);
    SameDiff sd = Dl4jExport.sameDiff(weights);
    INDArray features = sd.outputSingle(Map.of("images", images), "features");
    File sdFile = folder.resolve("trunk.fb").toFile();
    sd.save(sdFile, false);
    assertExact(
        "SameDiff",
        SameDiff.load(sdFile, false).outputSingle(Map.of("images", images), "features"),
        features);
    ComputationGraph graph = Dl4jExport.computationGraph(weights);
    File graphFile = folder.resolve("trunk.zip").toFile();
    graph.save(graphFile, false);
    ComputationGraph loaded = ComputationGraph.load(graphFile, false);
    assertExact("graph", loaded.outputSingle(images), graph.outputSingle(images));
    assertThat(difference(loaded.outputSingle(images), features)).isLessThan(1e-5);
  }

  @Test
  void modelsHoldCopies() {
    SwavWeights weights =
        TrainedWeights.of(config(Architecture.RESNET20, Stem.SMALL, 1), 1, DataType.FLOAT);
    INDArray images = TrainedWeights.images(1, DataType.FLOAT, 2, 1, 16, 16);
    SameDiff sd = Dl4jExport.sameDiff(weights);
    ComputationGraph graph = Dl4jExport.computationGraph(weights);
    INDArray fromSd = sd.outputSingle(Map.of("images", images), "features").dup();
    INDArray fromGraph = graph.outputSingle(images).dup();
    weights.parameters().values().forEach(a -> a.muli(2));
    assertExact("sd", sd.outputSingle(Map.of("images", images), "features"), fromSd);
    assertExact("graph", graph.outputSingle(images), fromGraph);
  }

  /** Two kinds of images, reddish or greenish, with noise. */
  private static DataSet colours(int n) {
    INDArray images = TrainedWeights.images(5, DataType.FLOAT, n, 3, 8, 8).muli(0.25);
    INDArray labels = Nd4j.zeros(DataType.FLOAT, n, 2);
    for (int i = 0; i < n; i++) {
      images.get(NDArrayIndex.point(i), NDArrayIndex.point(i % 2)).addi(1);
      labels.putScalar(i, i % 2, 1);
    }
    return new DataSet(images, labels);
  }

  @Test
  void transferLearningTrainsAHeadAndLeavesTheTrunk() {
    SwavWeights weights = SwavWeights.initialise(config(Architecture.RESNET20, Stem.SMALL, 3), 2);
    ComputationGraph trunk = Dl4jExport.computationGraph(weights);
    ComputationGraph classifier =
        new TransferLearning.GraphBuilder(trunk)
            .fineTuneConfiguration(
                new FineTuneConfiguration.Builder().updater(new Adam(0.5)).seed(3).build())
            .setFeatureExtractor(Dl4jExport.FEATURES)
            .addLayer(
                "classes",
                new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                    .nIn(weights.config().features())
                    .nOut(2)
                    .activation(Activation.SOFTMAX)
                    .build(),
                Dl4jExport.FEATURES)
            .setOutputs("classes")
            .build();
    Map<String, INDArray> before = new LinkedHashMap<>();
    classifier.paramTable().forEach((name, array) -> before.put(name, array.dup()));
    DataSet data = colours(16);
    double loss = classifier.score(data);
    for (int i = 0; i < 50; i++) {
      classifier.fit(data);
    }
    assertThat(classifier.score(data)).isLessThan(0.2 * loss);
    assertThat(classifier.evaluate(iterator(data)).accuracy()).isGreaterThan(0.9);
    classifier
        .paramTable()
        .forEach(
            (name, array) -> {
              if (name.startsWith("classes_")) {
                assertThat(difference(array, before.get(name))).as(name).isPositive();
              } else {
                assertExact(name, array, before.get(name));
              }
            });
    assertThat(before).containsKey("layer3.1.bn2_mean");
  }

  private static DataSetIterator iterator(DataSet data) {
    return new ListDataSetIterator<>(List.of(data), 16);
  }
}
