package org.swav4j.model.engine.onednn;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Precision;

/** All results of one training step on given random numbers. */
final class StepSnapshot {
  /** A network and what it is fed. */
  record Case(SwavConfig config, List<CropGroup> crops, int batch, int assigning) {}

  /** Channels that fit no block, pixels that come out odd. */
  static final Case SMALL =
      new Case(
          new SwavConfig(Architecture.RESNET18, 0.3, Stem.SMALL, 3, 21, 13, 17, 0.1),
          List.of(new CropGroup(2, 17), new CropGroup(3, 12)),
          6,
          2);

  private StepSnapshot() {}

  static Map<String, double[]> of(Case c, Engine engine, DataType type) {
    SwavWeights weights = weights(c, type);
    Map<String, double[]> results = new LinkedHashMap<>();
    try (TrainingStep step =
        new TrainingStep(weights, c.crops(), c.batch(), c.assigning(), engine)) {
      // Twice: the second run must not depend on what the first left behind.
      for (int run = 0; run < 2; run++) {
        Random random = new Random(8);
        for (int g = 0; g < c.crops().size(); g++) {
          fill(step.crops(g), random);
        }
        step.forward();
        INDArray codes = Nd4j.create(DataType.FLOAT, step.codes().shape());
        fill(codes, random);
        step.codes().assign(Transforms.softmax(codes, false));
        results.put("loss", new double[] {step.backward()});
      }
      results.put("scores", elements(step.scores()));
      results.put("embeddings", elements(step.embeddings()));
      step.gradients().forEach((k, v) -> results.put("gradient of " + k, elements(v)));
      weights.statistics().forEach((k, v) -> results.put(k, elements(v)));
    }
    return results;
  }

  /** The same numbers, float or double. */
  private static SwavWeights weights(Case c, DataType type) {
    SwavWeights floats = SwavWeights.initialise(c.config(), 5, DataType.FLOAT);
    Random random = new Random(6);
    floats.parameters().values().stream()
        .filter(p -> p.rank() == 1)
        .forEach(
            p -> {
              for (long i = 0; i < p.length(); i++) {
                p.putScalar(i, p.getFloat(i) + 0.1f * (float) random.nextGaussian());
              }
            });
    if (type == DataType.FLOAT) {
      return floats;
    }
    SwavWeights other = SwavWeights.initialise(c.config(), 5, type);
    other.parameters().forEach((k, v) -> v.assign(floats.parameters().get(k)));
    return other;
  }

  private static void fill(INDArray array, Random random) {
    for (long i = 0; i < array.length(); i++) {
      array.data().put(i, (float) random.nextGaussian());
    }
  }

  private static double[] elements(INDArray array) {
    return array.dup('c').data().asDouble();
  }

  /** Runs {@link #SMALL} by oneDNN and writes the results to the file named first. */
  public static void main(String[] arguments) throws IOException {
    Map<String, double[]> results = of(SMALL, new OneDnnEngine(Precision.FLOAT), DataType.FLOAT);
    try (DataOutputStream out =
        new DataOutputStream(Files.newOutputStream(Path.of(arguments[0])))) {
      out.writeUTF(Dnnl.isa().name());
      out.writeInt(results.size());
      for (Map.Entry<String, double[]> e : results.entrySet()) {
        out.writeUTF(e.getKey());
        out.writeInt(e.getValue().length);
        for (double v : e.getValue()) {
          out.writeDouble(v);
        }
      }
    }
  }

  /** What {@link #main} wrote. */
  record Written(String isa, Map<String, double[]> results) {}

  static Written read(Path file) throws IOException {
    Map<String, double[]> results = new LinkedHashMap<>();
    try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
      String isa = in.readUTF();
      int n = in.readInt();
      for (int i = 0; i < n; i++) {
        String key = in.readUTF();
        double[] v = new double[in.readInt()];
        for (int j = 0; j < v.length; j++) {
          v[j] = in.readDouble();
        }
        results.put(key, v);
      }
      return new Written(isa, results);
    }
  }
}
