package org.swav4j.train.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CropSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Architecture;
import org.swav4j.model.Stem;
import org.swav4j.train.config.TrainingConfig.Codes;
import org.swav4j.train.config.TrainingConfig.Data;
import org.swav4j.train.config.TrainingConfig.Evaluation;
import org.swav4j.train.config.TrainingConfig.Execution;
import org.swav4j.train.config.TrainingConfig.Network;
import org.swav4j.train.config.TrainingConfig.Optimisation;
import org.swav4j.train.config.TrainingConfig.OptimiserKind;

/** Configurations to start from; every value can be changed on the command line. */
public enum Preset {
  /** A few minutes on 2 cores: to see the method work. */
  QUICK("a few minutes on 2 cores, to see it work on the built-in shapes"),
  /** Pictures of 28 to 64 pixels: hours on a desktop computer. */
  SMALL_IMAGES("pictures of 28 to 64 pixels such as CIFAR; hours"),
  /** Photographs: the published single-node recipe. */
  IMAGENET("photographs: the published recipe for a batch of 256; days");

  private final String summary;

  Preset(String summary) {
    this.summary = summary;
  }

  /** What it is for, in a few words. */
  public String summary() {
    return summary;
  }

  /** As on the command line: {@code small-images}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The preset of that label.
   *
   * @throws IllegalArgumentException if there is none, naming those there are
   */
  public static Preset of(String label) {
    return Arrays.stream(values())
        .filter(p -> p.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "preset '"
                        + label
                        + "' is unknown, expected one of "
                        + Arrays.stream(values())
                            .map(Preset::label)
                            .collect(Collectors.joining(", "))));
  }

  /** The values. */
  public TrainingConfig config() {
    return switch (this) {
      case QUICK -> quick();
      case SMALL_IMAGES -> smallImages();
      case IMAGENET -> imagenet();
    };
  }

  private static TrainingConfig quick() {
    return new TrainingConfig(
        new Data("shapes", 0, null),
        new Network(Architecture.RESNET20, 1, Stem.SMALL, 256, 64, 60, 0.1),
        List.of(new CropSpec(2, 32, 0.3, 1), new CropSpec(4, 16, 0.2, 0.6)),
        Augmentation.smallImages(),
        new Codes(2, 0.03, 3, 0, 0),
        new Optimisation(OptimiserKind.SGD, 64, 5, 0.1, 0, 0.0001, 0.3, 0.9, 1e-4, 0.1),
        new Evaluation(1, 2000, 2000, 20, 0),
        new Execution("auto", "float", 1, Machine.loaderWorkers()));
  }

  private static TrainingConfig smallImages() {
    return new TrainingConfig(
        new Data("shapes", 0, null),
        new Network(Architecture.RESNET18, 1, Stem.SMALL, 512, 128, 256, 0.1),
        List.of(new CropSpec(2, 32, 0.3, 1), new CropSpec(4, 16, 0.1, 0.3)),
        Augmentation.smallImages(),
        new Codes(2, 0.03, 3, 0, 0),
        new Optimisation(OptimiserKind.SGD, 256, 100, 0.2, 0, 0.0002, 2, 0.9, 1e-4, 1),
        new Evaluation(5, 10_000, 5_000, 20, 0),
        new Execution("auto", "float", 1, Machine.loaderWorkers()));
  }

  private static TrainingConfig imagenet() {
    return new TrainingConfig(
        new Data("shapes", 3, Normalisation.imageNet()),
        new Network(Architecture.RESNET50, 1, Stem.IMAGENET, 2048, 128, 3000, 0.1),
        List.of(CropSpec.large(2, 224), CropSpec.small(6, 96)),
        Augmentation.official(),
        new Codes(2, 0.05, 3, 3840, 15),
        new Optimisation(OptimiserKind.LARS, 256, 200, 0.6, 0, 0.0006, 0, 0.9, 1e-6, 1),
        new Evaluation(10, 50_000, 10_000, 20, 0),
        new Execution("auto", "float", 1, Machine.loaderWorkers()));
  }
}
