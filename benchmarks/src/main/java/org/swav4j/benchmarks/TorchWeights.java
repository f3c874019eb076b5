package org.swav4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.Architecture;
import org.swav4j.model.SafeTensors;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.WeightsImport;

/**
 * Do weights that PyTorch wrote give PyTorch's features? Every file that {@code
 * benchmarks/peer/torch_weights.py} made is imported, and the features of random images at 224 and
 * 96 pixels are compared with those that PyTorch computed in double from the same weights.
 *
 * <p>One argument: the folder. Prints the greatest difference of each file and the greatest
 * feature; ends with status 1 where a difference is above 1e-4.
 */
public final class TorchWeights {
  private static final double BOUND = 1e-4;

  private TorchWeights() {}

  public static void main(String[] arguments) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(Path.of(arguments[0]))) {
      files = all.filter(f -> !f.toString().endsWith(".expected")).sorted().toList();
    }
    boolean good = true;
    for (Path file : files) {
      good &= compare(file) <= BOUND;
    }
    System.exit(good ? 0 : 1);
  }

  private static double compare(Path file) throws IOException {
    String name = file.getFileName().toString();
    String network = name.substring(0, name.indexOf('.'));
    Architecture architecture = Architecture.of(network.replaceFirst("-.*", ""));
    SwavConfig config = new SwavConfig(architecture, 1, Stem.IMAGENET, 3, 2048, 128, 3000, 0.1);
    SwavWeights weights = SwavWeights.initialise(config, 1);
    WeightsImport read = WeightsImport.whole(file, weights);
    SafeTensors expected = SafeTensors.read(file.resolveSibling(network + ".expected"));
    double worst = 0;
    double greatest = 0;
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights)) {
      for (int size : new int[] {224, 96}) {
        INDArray features = encoder.features(expected.tensors().get("images" + size));
        INDArray theirs = expected.tensors().get("features" + size);
        worst = Math.max(worst, features.sub(theirs).amaxNumber().doubleValue());
        greatest = Math.max(greatest, theirs.amaxNumber().doubleValue());
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%-30s greatest difference %.2e, greatest feature %.3f; %s%n",
        name,
        worst,
        greatest,
        read.summary());
    return worst;
  }
}
