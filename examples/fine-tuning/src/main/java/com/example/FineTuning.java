package com.example;

import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;
import org.swav4j.model.Dl4jExport;
import org.swav4j.model.SwavWeights;

/** A trained trunk with a classifier behind it, as an ordinary network of Deeplearning4j. */
public final class FineTuning {
  private FineTuning() {}

  /**
   * A network whose classifier is new, and whose trunk is what SwAV learned.
   *
   * @param weights of {@code ./swav train}
   * @param classes to tell apart
   * @param frozen whether the trunk stays as it is
   * @return to be trained by {@code fit} on normalised images {@code [n, C, H, W]}
   */
  public static ComputationGraph classifier(SwavWeights weights, int classes, boolean frozen) {
    TransferLearning.GraphBuilder builder =
        new TransferLearning.GraphBuilder(Dl4jExport.computationGraph(weights))
            .fineTuneConfiguration(
                new FineTuneConfiguration.Builder().updater(new Adam(1e-2)).seed(1).build());
    if (frozen) {
      builder.setFeatureExtractor(Dl4jExport.FEATURES);
    }
    return builder
        .addLayer(
            "classes",
            new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                .nIn(weights.features())
                .nOut(classes)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.SOFTMAX)
                .build(),
            Dl4jExport.FEATURES)
        .setOutputs("classes")
        .build();
  }
}
