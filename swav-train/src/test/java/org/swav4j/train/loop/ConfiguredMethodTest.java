package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.DataSpec;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.data.UnreadableImageException;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.MethodKind;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.method.SupervisedMethod;
import org.swav4j.train.run.CheckpointFile;

/** The methods that the command line offers, through the loop. */
class ConfiguredMethodTest {
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();
  private static final double TAU = 0.1;

  @TempDir Path dir;

  private static TrainingConfig config(MethodKind method, int batch, int parts) {
    return TrainingConfigTest.quick(
            "--method=" + method.label(),
            "--width=0.25",
            "--hidden=16",
            "--dim=8",
            "--prototypes=12",
            "--heads=" + (method == MethodKind.SWAV || method == MethodKind.DEEPCLUSTER_V2 ? 2 : 1),
            "--crops=2x16,1x12",
            "--batch=" + batch,
            "--accumulate=" + parts,
            "--epochs=2",
            "--lr=0.05",
            "--queue=8",
            "--seed=5",
            "--workers=1")
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  private static SwavWeights weights(TrainingConfig config) {
    return SwavWeights.initialise(config.network().with(3), 5);
  }

  private static Map<String, float[]> bits(SwavWeights weights) {
    Map<String, float[]> bits = new LinkedHashMap<>();
    weights.parameters().forEach((n, a) -> bits.put(n, a.dup().data().asFloat()));
    weights.statistics().forEach((n, a) -> bits.put(n, a.dup().data().asFloat()));
    return bits;
  }

  @ParameterizedTest
  @EnumSource(MethodKind.class)
  void stoppedAndResumedEqualsTheUninterruptedRunBitForBit(MethodKind method) {
    TrainingConfig config = config(method, 8, 1);
    SwavWeights whole = weights(config);
    try (Trainer t = new Trainer(config, IMAGES, whole, new Nd4jEngine())) {
      t.run();
    }
    Path file = dir.resolve("checkpoint.safetensors");
    try (Trainer t = new Trainer(config, IMAGES, weights(config), new Nd4jEngine())) {
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  if (m.step() == 7) {
                    t.stop();
                  }
                }
              })
          .run();
      CheckpointFile.write(file, t.checkpoint(Double.NaN));
    }
    SwavWeights resumed = weights(config);
    try (Trainer t = new Trainer(config, IMAGES, resumed, new Nd4jEngine())) {
      t.restore(CheckpointFile.read(file));
      t.run();
    }
    Map<String, float[]> expected = bits(whole);
    bits(resumed).forEach((name, a) -> assertThat(a).as(name).isEqualTo(expected.get(name)));
  }

  @Test
  void supervisedIsTheCrossEntropyOfEveryCropAndTheRightClass() {
    TrainingConfig config = config(MethodKind.SUPERVISED, 4, 2);
    List<Integer> asked = new ArrayList<>();
    ImageSource images = DataSpec.parse("shapes:48").open().train();
    double[] losses = new double[2];
    try (MultiCropLoader loader = loader(config);
        Trainer t =
            new Trainer(
                config,
                loader,
                images.size(),
                weights(config),
                new SupervisedMethod(
                    i -> {
                      asked.add(i);
                      return images.label(i);
                    },
                    TAU),
                new Nd4jEngine(),
                Collective.single())) {
      SwavWeights trained = t.weights();
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  t.stop();
                  losses[0] = m.loss();
                  losses[1] =
                      crossEntropy(
                          t.network().embeddings(),
                          trained.parameters().get("prototypes.weight"),
                          asked.stream().mapToInt(images::label).toArray());
                  assertThat(m.lossShare()).isCloseTo(m.loss() / Math.log(12), within(1e-9));
                }
              })
          .run();
    }
    assertThat(asked).hasSize(8).doesNotHaveDuplicates();
    assertThat(losses[0]).isCloseTo(losses[1], within(1e-4));
  }

  private static double crossEntropy(INDArray embeddings, INDArray prototypes, int[] labels) {
    double[][] z = embeddings.castTo(DataType.DOUBLE).toDoubleMatrix();
    double[][] c = prototypes.castTo(DataType.DOUBLE).toDoubleMatrix();
    double total = 0;
    for (int row = 0; row < z.length; row++) {
      double sum = 0;
      double own = 0;
      for (int k = 0; k < c.length; k++) {
        double score = 0;
        for (int d = 0; d < c[k].length; d++) {
          score += z[row][d] * c[k][d];
        }
        sum += Math.exp(score / TAU);
        own = k == labels[row % labels.length] ? score / TAU : own;
      }
      total += Math.log(sum) - own;
    }
    return total / z.length;
  }

  private static MultiCropLoader loader(TrainingConfig config) {
    return new MultiCropLoader(
        IMAGES,
        config.crops(),
        config.augmentation(),
        config.data().normalisation(),
        config.optimisation().batch(),
        config.execution().seed(),
        1);
  }

  @Test
  void labelsAreLearnedByTheSupervisedMethodAndNoOtherLooksAtThem() {
    for (MethodKind method : MethodKind.values()) {
      TrainingConfig config = config(method, 8, 1);
      SwavWeights right = weights(config);
      try (Trainer t = new Trainer(config, IMAGES, right, new Nd4jEngine())) {
        t.run();
      }
      SwavWeights shuffled = weights(config);
      try (Trainer t = new Trainer(config, new Shuffled(IMAGES), shuffled, new Nd4jEngine())) {
        t.run();
      }
      boolean same = true;
      for (Map.Entry<String, float[]> e : bits(right).entrySet()) {
        same &= Arrays.equals(e.getValue(), bits(shuffled).get(e.getKey()));
      }
      assertThat(same).as(method.label()).isEqualTo(method != MethodKind.SUPERVISED);
    }
  }

  /** The same images with other labels. */
  private record Shuffled(ImageSource images) implements ImageSource {
    @Override
    public String name() {
      return images.name();
    }

    @Override
    public int size() {
      return images.size();
    }

    @Override
    public int channels() {
      return images.channels();
    }

    @Override
    public int label(int index) {
      return (images.label(index) + 1 + index % 5) % 12;
    }

    @Override
    public List<String> classes() {
      return images.classes();
    }

    @Override
    public Image read(int index, int atLeast) throws UnreadableImageException {
      return images.read(index, atLeast);
    }

    @Override
    public String describe(int index) {
      return images.describe(index);
    }
  }

  @Test
  void randomMovesNoParameter() {
    TrainingConfig config = config(MethodKind.RANDOM, 8, 1);
    SwavWeights weights = weights(config);
    Map<String, float[]> before = bits(weights);
    try (Trainer t = new Trainer(config, IMAGES, weights, new Nd4jEngine())) {
      t.run();
    }
    Map<String, float[]> after = bits(weights);
    weights
        .parameters()
        .keySet()
        .forEach(name -> assertThat(after.get(name)).as(name).isEqualTo(before.get(name)));
    assertThat(after.get("bn1.running_mean")).isNotEqualTo(before.get("bn1.running_mean"));
  }

  @Test
  void aMethodThatMustKnowImagesIsRefusedWithBatchesThatDoNotTell() {
    TrainingConfig config = config(MethodKind.SUPERVISED, 8, 1);
    try (MultiCropLoader loader = loader(config)) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  new Trainer(
                      config,
                      new Hidden(loader),
                      IMAGES.size(),
                      weights(config),
                      new SupervisedMethod(IMAGES::label, TAU),
                      new Nd4jEngine(),
                      Collective.single()))
          .withMessageContaining("SupervisedMethod must know which images are in a batch")
          .withMessageContaining("MultiCropLoader");
    }
  }
}
