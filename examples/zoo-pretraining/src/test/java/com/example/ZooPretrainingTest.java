package com.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.data.ImageSource;
import org.swav4j.data.ShapesSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;

class ZooPretrainingTest {
  private static final int SIDE = 96;
  private static final int CLASSES = 12;

  /**
   * Sixteen steps: that it runs and comes back whole is shown, not that it learned anything. Fewer
   * leave running statistics at which the features of this network, which begins with weights about
   * 0.5, overflow.
   */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "crops", "2x32",
          "batch", "8",
          "epochs", "2",
          "hidden", "64",
          "dim", "32",
          "prototypes", "16",
          "queue", "0",
          "workers", "1");

  @Test
  void resNet50IsPretrainedAndTunedAfterwards() {
    ComputationGraph graph = ZooPretraining.resNet50(SIDE, CLASSES);
    INDArray kernel = graph.getLayer("res4d_branch2b").getParam("W").dup();
    INDArray classifier = graph.getLayer("output").getParam("W").dup();
    ImageSource pictures = ShapesSource.open(64).train();
    List<Double> losses = new ArrayList<>();
    TrainingListener watcher =
        new TrainingListener() {
          @Override
          public void step(StepMetrics step) {
            losses.add(step.loss());
          }
        };

    SwavWeights weights =
        ZooPretraining.pretrain(graph, ZooPretraining.FEATURES, pictures, SETTINGS, watcher);

    assertEquals(16, losses.size());
    assertTrue(losses.stream().allMatch(Double::isFinite), losses.toString());
    assertNotEquals(kernel, graph.getLayer("res4d_branch2b").getParam("W"));
    assertEquals(classifier, graph.getLayer("output").getParam("W"));
    INDArray images = Nd4j.randn(DataType.FLOAT, 2, 3, SIDE, SIDE);
    assertSameFeatures(weights, images, graph.feedForward(images, false));

    graph.fit(new DataSet(images, Nd4j.eye(CLASSES).getRows(3, 7).castTo(DataType.FLOAT)));
    assertTrue(Double.isFinite(graph.score()), "score " + graph.score());
    INDArray probabilities = graph.outputSingle(images);
    assertArrayEquals(new long[] {2, CLASSES}, probabilities.shape());
    assertEquals(2, probabilities.sumNumber().doubleValue(), 1e-4);
  }

  /** The graph's maps, averaged, are what the encoder gives for the same normalised images. */
  private static void assertSameFeatures(
      SwavWeights weights, INDArray images, Map<String, INDArray> activations) {
    INDArray expected = activations.get(ZooPretraining.FEATURES).mean(2, 3);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights)) {
      INDArray features = encoder.features(images);
      assertArrayEquals(new long[] {2, 2048}, features.shape());
      double relative =
          features.sub(expected).norm2Number().doubleValue() / expected.norm2Number().doubleValue();
      assertTrue(relative < 1e-4, "relative difference " + relative);
      for (int i = 0; i < features.rows(); i++) {
        assertTrue(Transforms.cosineSim(features.getRow(i), expected.getRow(i)) > 0.9999);
      }
    }
  }
}
