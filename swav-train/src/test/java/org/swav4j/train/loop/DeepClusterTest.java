package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Objective;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.method.DeepClusterMethod;
import org.swav4j.train.method.Method;
import org.swav4j.train.run.CheckpointFile;

/** DeepCluster-v2 through the loop, held against its definition in double at every step. */
class DeepClusterTest {
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();
  private static final String PROTOTYPES = "prototypes.weight";
  private static final int K = 5;
  private static final int STEPS_PER_EPOCH = 4;
  private static final int BATCH = 10;
  private static final double TAU = 0.1;

  @TempDir Path dir;

  /** 40 of 48 images are in an epoch, of three. */
  private static TrainingConfig config(int parts) {
    return TrainingConfigTest.quick(
            "--width=0.25",
            "--hidden=16",
            "--dim=8",
            "--crops=3x12",
            "--scales=0.3-1",
            "--batch=" + BATCH / parts,
            "--accumulate=" + parts,
            "--epochs=3",
            "--lr=0.1",
            "--seed=5",
            "--workers=1")
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  private static SwavWeights weights(TrainingConfig config, int heads) {
    SwavConfig c = config.network().with(3);
    return SwavWeights.initialise(
        new SwavConfig(
            c.architecture(), c.width(), c.stem(), 3, c.hidden(), c.dim(), heads * K, TAU),
        5);
  }

  private static DeepClusterMethod method(int heads) {
    return new DeepClusterMethod(
        new DeepClusterMethod.Settings(IMAGES.size(), 2, heads, TAU, 5), new Nd4jEngine());
  }

  private static MultiCropLoader loader(TrainingConfig config) {
    return new MultiCropLoader(
        IMAGES,
        config.crops(),
        config.augmentation(),
        config.data().normalisation(),
        config.optimisation().batch(),
        5,
        1);
  }

  private static Trainer trainer(
      TrainingConfig config, MultiCropLoader loader, SwavWeights weights, Method method) {
    return new Trainer(
        config, loader, IMAGES.size(), weights, method, new Nd4jEngine(), Collective.single());
  }

  private static double[][] matrix(INDArray array) {
    return array.castTo(DataType.DOUBLE).toDoubleMatrix();
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += a[d] * b[d];
    }
    return sum;
  }

  /** Passes everything on, and says what must come of it. */
  private static final class Definition implements Method {
    private final DeepClusterMethod method;
    private final int heads;
    private final double[][][] memory = new double[2][IMAGES.size()][];
    private double[][][] clustered;
    private final List<double[][]> prototypes = new ArrayList<>();
    private SwavWeights weights;
    private int epoch;
    private int[] images;
    private int turnedUp;
    private double loss;

    Definition(int heads) {
      this.heads = heads;
      this.method = method(heads);
    }

    @Override
    public Objective objective() {
      return method.objective();
    }

    @Override
    public void begin(TrainingStep step, SwavWeights weights) {
      this.weights = weights;
      method.begin(step, weights);
    }

    @Override
    public void epochBegins(int epoch) {
      this.epoch = epoch;
      clustered = new double[][][] {memory[0].clone(), memory[1].clone()};
      method.epochBegins(epoch);
    }

    @Override
    public boolean knowsImages() {
      return method.knowsImages();
    }

    @Override
    public void images(int[] indices) {
      images = indices;
      method.images(indices);
    }

    @Override
    public void beforeForward(SwavWeights weights) {
      method.beforeForward(weights);
    }

    @Override
    public void targets(TrainingStep step, long number, Collective collective) {
      method.targets(step, number, collective);
      double[][] c = matrix(weights.parameters().get(PROTOTYPES));
      prototypes.add(c);
      double[][] z = matrix(step.embeddings());
      double[][] targets = matrix(step.target("targets"));
      loss = 0;
      for (int i = 0; i < BATCH; i++) {
        double[] expected = new double[heads * K];
        Arrays.fill(expected, epoch == 0 ? 1.0 / K : 0);
        for (int head = 0; head < heads && epoch > 0; head++) {
          double[] remembered = clustered[head % 2][images[i]];
          turnedUp += remembered == null ? 1 : 0;
          double[] row = remembered == null ? z[head % 2 * BATCH + i] : remembered;
          int best = head * K;
          for (int k = head * K; k < (head + 1) * K; k++) {
            best = dot(row, c[k]) > dot(row, c[best]) ? k : best;
          }
          expected[best] = 1;
        }
        assertThat(targets[i])
            .as("image %d of step %d", images[i], number)
            .usingComparatorWithPrecision(1e-6)
            .containsExactly(expected);
        for (int v = 0; v < 3; v++) {
          loss += crossEntropy(expected, z[v * BATCH + i], c);
        }
      }
      loss /= 3 * BATCH * heads;
      for (int i = 0; i < BATCH; i++) {
        memory[0][images[i]] = z[i];
        memory[1][images[i]] = z[BATCH + i];
      }
    }

    private double crossEntropy(double[] target, double[] z, double[][] c) {
      double total = 0;
      for (int head = 0; head < heads; head++) {
        double sum = 0;
        for (int k = head * K; k < (head + 1) * K; k++) {
          sum += Math.exp(dot(z, c[k]) / TAU);
        }
        for (int k = head * K; k < (head + 1) * K; k++) {
          total += target[k] * (Math.log(sum) - dot(z, c[k]) / TAU);
        }
      }
      return total;
    }

    @Override
    public boolean trains(String parameter, long number) {
      return method.trains(parameter, number);
    }

    @Override
    public boolean allowsParts() {
      return method.allowsParts();
    }

    @Override
    public double chanceLoss() {
      return method.chanceLoss();
    }

    @Override
    public void close() {
      method.close();
    }
  }

  @ParameterizedTest(name = "{0} heads, batches in {1} parts")
  @CsvSource({"1, 1", "3, 1", "1, 2", "3, 2"})
  void everyCropPredictsTheClusterThatItsImageWasInWhenTheEpochBegan(int heads, int parts) {
    TrainingConfig config = config(parts);
    Definition definition = new Definition(heads);
    SwavWeights weights = weights(config, heads);
    Map<String, float[]> before = bits(weights.parameters());
    List<Integer> steps = new ArrayList<>();
    try (MultiCropLoader loader = loader(config);
        Trainer t = trainer(config, loader, weights, definition)) {
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  steps.add((int) m.step());
                  assertThat(m.loss()).isCloseTo(definition.loss, within(2e-5));
                  assertThat(m.lossShare()).isCloseTo(m.loss() / Math.log(K), within(1e-9));
                  bits(weights.parameters())
                      .forEach(
                          (name, now) -> {
                            if (m.epoch() == 0 && !name.equals(PROTOTYPES)) {
                              assertThat(now).as(name).isEqualTo(before.get(name));
                            }
                          });
                }
              })
          .run();
      assertThat(steps).hasSize(3 * STEPS_PER_EPOCH);
      assertThat(bits(weights.parameters()).get("conv1.weight"))
          .isNotEqualTo(before.get("conv1.weight"));
    }
    assertThat(definition.turnedUp).as("images that the first epoch left out").isPositive();
    for (int step = 0; step < steps.size(); step++) {
      double[][] c = definition.prototypes.get(step);
      for (double[] centroid : c) {
        assertThat(dot(centroid, centroid)).isCloseTo(1, within(1e-5));
      }
      if (step > STEPS_PER_EPOCH) {
        assertThat(Arrays.deepEquals(c, definition.prototypes.get(step - 1)))
            .as("step %d has the clusters of the step before", step)
            .isEqualTo(step % STEPS_PER_EPOCH != 0);
      }
    }
    if (heads > 2) {
      double[][] c = definition.prototypes.get(STEPS_PER_EPOCH);
      assertThat(Arrays.copyOfRange(c, 0, K))
          .as("heads 0 and 2 cluster the same crop from different rows")
          .isNotEqualTo(Arrays.copyOfRange(c, 2 * K, 3 * K));
    }
  }

  private static Map<String, float[]> bits(Map<String, INDArray> arrays) {
    Map<String, float[]> bits = new LinkedHashMap<>();
    arrays.forEach((n, a) -> bits.put(n, a.dup().data().asFloat()));
    return bits;
  }

  @Test
  void goneOnWithFromAnyPlaceItEqualsTheUninterruptedRunBitForBit() {
    TrainingConfig config = config(1);
    SwavWeights whole = weights(config, 3);
    try (MultiCropLoader loader = loader(config);
        Trainer t = trainer(config, loader, whole, method(3))) {
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  CheckpointFile.write(file(m.step() + 1), t.checkpoint(Double.NaN));
                }
              })
          .run();
    }
    for (int stop : List.of(2, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 3)) {
      SwavWeights resumed = weights(config, 3);
      try (MultiCropLoader loader = loader(config);
          Trainer t = trainer(config, loader, resumed, method(3))) {
        t.restore(CheckpointFile.read(file(stop)));
        t.run();
      }
      requireSameBits(resumed, whole);
    }
  }

  private Path file(long step) {
    return dir.resolve(step + ".safetensors");
  }

  private static void requireSameBits(SwavWeights resumed, SwavWeights whole) {
    for (var read :
        List.<Function<SwavWeights, Map<String, INDArray>>>of(
            SwavWeights::parameters, SwavWeights::statistics)) {
      Map<String, float[]> expected = bits(read.apply(whole));
      bits(read.apply(resumed))
          .forEach((name, a) -> assertThat(a).as(name).isEqualTo(expected.get(name)));
    }
  }

  @Test
  void whatCannotBeClusteredOrGoneOnWithIsRefused() {
    TrainingConfig config = config(1);
    try (MultiCropLoader loader = loader(config)) {
      assertThatIllegalArgumentException()
          .as("45 clusters of the 40 images of an epoch")
          .isThrownBy(() -> trainer(config, loader, weights(config, 9), method(1)))
          .withMessageContaining("`prototypes` is 45")
          .withMessageContaining("up to 40");
      try (Trainer t = trainer(config, loader, weights(config, 1), method(1))) {
        Checkpoint ofOneHead = t.checkpoint(Double.NaN);
        try (Trainer other = trainer(config, loader, weights(config, 1), method(5))) {
          assertThatThrownBy(() -> other.restore(ofOneHead))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("assignments=INT[1, 48]")
              .hasMessageContaining("assignments=INT[5, 48]")
              .hasMessageContaining("other heads");
        }
      }
    }
    DeepClusterMethod method = method(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> method.workers(Collective.threads(2).get(0)))
        .withMessageContaining("there are 2");
  }
}
