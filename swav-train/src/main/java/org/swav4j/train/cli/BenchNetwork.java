package org.swav4j.train.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.swav4j.model.Architecture;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import picocli.CommandLine.Option;

/** The network to time and what runs it. */
final class BenchNetwork {
  /** A trunk's name, with the planes of its first stage behind a w: {@code resnet18w16}. */
  private static final Pattern WITH_PLANES = Pattern.compile("(resnet\\d+)w(\\d{1,4})");

  @Option(
      names = "--arch",
      paramLabel = "NAME",
      description =
          "Trunk: resnet18, resnet34, resnet50, resnet20; wN behind it sets the first stage's"
              + " channels, as in resnet18w16 (${DEFAULT-VALUE}).")
  String architecture = "resnet18";

  @Option(
      names = "--stem",
      paramLabel = "NAME",
      description = "small (3x3) or imagenet (7x7 and pooling) (${DEFAULT-VALUE}).")
  String stem = "small";

  @Option(
      names = "--channels",
      paramLabel = "N",
      description = "Of a crop: 3 or 1 (${DEFAULT-VALUE}).")
  int channels = 3;

  @Option(
      names = "--hidden",
      paramLabel = "N",
      description = "Width of the projection head's hidden layer (${DEFAULT-VALUE}).")
  int hidden = 512;

  @Option(
      names = "--dim",
      paramLabel = "D",
      description = "Length of an embedding (${DEFAULT-VALUE}).")
  int dim = 128;

  @Option(
      names = "--prototypes",
      paramLabel = "K",
      description = "Number of prototypes (${DEFAULT-VALUE}).")
  int prototypes = 300;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description = "auto, onednn or nd4j (${DEFAULT-VALUE}).")
  String engine = "auto";

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      description = "float or bf16 (${DEFAULT-VALUE}).")
  String precision = "float";

  SwavConfig config() {
    Matcher name = WITH_PLANES.matcher(architecture);
    Architecture trunk = Architecture.of(name.matches() ? name.group(1) : architecture);
    double width = name.matches() ? Double.parseDouble(name.group(2)) / trunk.planes() : 1;
    return new SwavConfig(trunk, width, Stem.of(stem), channels, hidden, dim, prototypes, 0.1);
  }

  Precision precision() {
    return Precision.of(precision);
  }

  Engine engine() {
    return Engines.of(engine, precision());
  }
}
