package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Architecture;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;

class FineTuningTest {
  /** Bright on the left, or on the right. */
  private static DataSet sides(int count) {
    INDArray images = Nd4j.randn(DataType.FLOAT, count, 1, 12, 12);
    INDArray labels = Nd4j.zeros(DataType.FLOAT, count, 2);
    for (int i = 0; i < count; i++) {
      int side = i % 2;
      images
          .get(
              NDArrayIndex.point(i),
              NDArrayIndex.all(),
              NDArrayIndex.all(),
              NDArrayIndex.interval(6 * side, 6 * side + 6))
          .muli(4);
      labels.putScalar(i, side, 1);
    }
    return new DataSet(images, labels);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void learnsFromAFewLabelsAndLeavesAFrozenTrunkAsItIs(boolean frozen) {
    Nd4j.getRandom().setSeed(3);
    SwavWeights weights =
        SwavWeights.initialise(
            new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 16, 8, 4, 0.1), 1);
    ComputationGraph graph = FineTuning.classifier(weights, 2, frozen);
    INDArray kernel = graph.getLayer("conv1").getParam("W").dup();
    DataSet labelled = sides(8);
    double before = graph.score(labelled);
    for (int step = 0; step < 12; step++) {
      graph.fit(labelled);
    }
    assertTrue(graph.score(labelled) < before / 2, before + " to " + graph.score(labelled));
    INDArray after = graph.getLayer("conv1").getParam("W");
    if (frozen) {
      assertEquals(kernel, after);
    } else {
      assertNotEquals(kernel, after);
    }
  }
}
