package com.example;

import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.zoo.model.ResNet50;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.ComputationGraphBackbone;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engines;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingListener;

/**
 * A network of Deeplearning4j's zoo that learns from pictures without labels before it is tuned.
 */
public final class ZooPretraining {
  /** The last maps of the zoo's ResNet-50; the mean over them is what SwAV trains. */
  public static final String FEATURES = "res5c_branch";

  private ZooPretraining() {}

  /** The zoo's ResNet-50 as it begins; any other network of ordinary layers does as well. */
  public static ComputationGraph resNet50(int side, int classes) {
    return ResNet50.builder()
        .inputShape(new int[] {3, side, side})
        .numClasses(classes)
        .build()
        .init();
  }

  /**
   * Trains the layers of a graph up to some vertex with SwAV, and leaves what they learned in it.
   *
   * @param graph initialised; goes on as before, with {@code fit} on few labels
   * @param features vertex that gives the features: maps, or a global average pooling
   * @param pictures without labels, of any sizes
   * @param settings that differ from the preset's, named as the flags of {@code ./swav train}
   * @param watcher told of every step
   * @return the same weights, for {@code SwavEncoder}; its {@code mean} and {@code deviation} are
   *     what the graph's pictures must be normalised by: (value / 255 - mean) / deviation, in RGB
   */
  public static SwavWeights pretrain(
      ComputationGraph graph,
      String features,
      ImageSource pictures,
      Map<String, String> settings,
      TrainingListener watcher) {
    // From here on is what SwAV adds to a program that has a graph and pictures.
    Normalisation pixels = Normalisation.of(pictures, 1000);
    TrainingConfig config =
        Settings.change(Preset.SMALL_IMAGES.config(), settings).withNormalisation(pixels);
    ComputationGraphBackbone trunk = ComputationGraphBackbone.of(graph, "zoo", features);
    SwavWeights weights =
        trunk.weights(graph, config.network().aroundBackbone(pictures.channels()), 1);
    try (Trainer trainer = new Trainer(config, pictures, weights, Engines.best())) {
      trainer.listener(watcher).run();
    }
    trunk.writeTo(graph, weights);
    // Up to here.
    return weights.withNormalisation(pixels.mean(), pixels.deviation());
  }
}
