package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CropSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.data.ShapesSource;

/** How a plain DL4J graph is trained on {@link MultiCropLoader}: a preprocessor adds labels. */
@Timeout(120)
class ComputationGraphFitTest {
  private static final int CROPS = 2;
  private static final ImageSource IMAGES = ShapesSource.open(22).train();

  private static MultiCropLoader loader() {
    return new MultiCropLoader(
        IMAGES,
        List.of(CropSpec.large(CROPS, 16)),
        Augmentation.official(),
        Normalisation.imageNet(),
        4,
        5,
        2);
  }

  /**
   * One-hot {@code [count·B, classes]}, crop-major as the crops are: an image's class, per crop.
   */
  private static void addLabels(MultiDataSet batch) {
    int[] images = ((MultiCropBatch) batch).indices();
    INDArray labels = Nd4j.zeros((long) CROPS * images.length, IMAGES.classes().size());
    for (int row = 0; row < labels.rows(); row++) {
      labels.putScalar(row, IMAGES.label(images[row % images.length]), 1);
    }
    batch.setLabels(new INDArray[] {labels});
  }

  private static ComputationGraph classifier() {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Sgd(0.1))
                .graphBuilder()
                .addInputs("crops")
                .addLayer(
                    "conv",
                    new ConvolutionLayer.Builder(3, 3)
                        .nIn(3)
                        .nOut(4)
                        .activation(Activation.RELU)
                        .build(),
                    "crops")
                .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), "conv")
                .addLayer(
                    "class",
                    new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                        .nIn(4)
                        .nOut(IMAGES.classes().size())
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "mean")
                .setOutputs("class")
                .build());
    graph.init();
    return graph;
  }

  @Test
  void withLabelsAGraphFitsOnTheBatchesOfEpochs0And1() {
    ComputationGraph fitted = classifier();
    ComputationGraph expected = classifier();
    INDArray before = fitted.params().dup();
    try (MultiCropLoader loader = loader();
        MultiCropLoader numbered = loader()) {
      loader.setPreProcessor(ComputationGraphFitTest::addLabels);
      fitted.fit(loader, 2);
      for (int epoch = 0; epoch < 2; epoch++) {
        for (MultiCropBatch batch : numbered.epoch(epoch)) {
          try (batch) {
            addLabels(batch);
            expected.fit(batch);
          }
        }
      }
    }
    assertThat(fitted.getIterationCount()).isEqualTo(2 * (22 / 4));
    assertThat(fitted.params()).isNotEqualTo(before).isEqualTo(expected.params());
  }

  @Test
  void withoutLabelsAGraphRefusesTheBatches() {
    try (MultiCropLoader loader = loader()) {
      ComputationGraph graph = classifier();
      assertThatThrownBy(() -> graph.fit(loader, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("network has 1 outputs, but array is of length 0");
    }
  }
}
