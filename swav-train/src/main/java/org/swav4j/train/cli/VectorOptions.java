package org.swav4j.train.cli;

import org.swav4j.train.answers.Vectors;
import picocli.CommandLine.Option;

/** Which of the network's outputs a command takes. */
final class VectorOptions {
  @Option(
      names = "--what",
      paramLabel = "features|embeddings",
      defaultValue = "features",
      description =
          "features: the trunk's output, for other tasks (default); embeddings: the projection"
              + " head's output, of unit length, which is compared with the prototypes.")
  Vectors what;
}
