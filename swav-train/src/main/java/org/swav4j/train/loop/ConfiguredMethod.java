package org.swav4j.train.loop;

import org.swav4j.data.ImageSource;
import org.swav4j.model.engine.Engine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.method.DeepClusterMethod;
import org.swav4j.train.method.Method;
import org.swav4j.train.method.RandomMethod;
import org.swav4j.train.method.SimClrMethod;
import org.swav4j.train.method.SupervisedMethod;
import org.swav4j.train.method.SwavMethod;

/** The method that a configuration asks for. */
public final class ConfiguredMethod {
  private ConfiguredMethod() {}

  /**
   * A new one.
   *
   * @param images that it learns from
   * @param engine that runs the network
   * @throws IllegalArgumentException if the batch is larger than the data, or the method can't
   *     learn from these images
   */
  public static Method of(TrainingConfig config, ImageSource images, Engine engine) {
    TrainingConfig.Codes codes = config.codes();
    double temperature = config.network().temperature();
    int heads = config.network().heads();
    return switch (config.method()) {
      case SWAV -> {
        RunSizes sizes = RunSizes.of(config, images.size());
        yield new SwavMethod(
            new SwavMethod.Settings(codes.assigning(), temperature)
                .withHeads(heads)
                .withCodes(codes.kind())
                .withFrozenPrototypes(sizes.frozenSteps())
                .withQueue(sizes.queueRows(), sizes.queueStartStep()),
            new SwavCodes(codes.epsilon(), codes.iterations()),
            engine);
      }
      case SIMCLR -> new SimClrMethod(codes.assigning(), temperature);
      case DEEPCLUSTER_V2 ->
          new DeepClusterMethod(
              new DeepClusterMethod.Settings(
                  images.size(), codes.assigning(), heads, temperature, config.execution().seed()),
              engine);
      case SUPERVISED -> new SupervisedMethod(images::label, temperature);
      case RANDOM -> new RandomMethod();
    };
  }
}
