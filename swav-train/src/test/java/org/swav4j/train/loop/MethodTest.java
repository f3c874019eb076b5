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
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Objective;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.method.Method;
import org.swav4j.train.run.CheckpointFile;

/** Methods that are not SwAV, through the same loop. */
class MethodTest {
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();
  private static final String BIAS = "projection_head.3.bias";
  private static final double TAU = 0.5;

  @TempDir Path dir;

  private final TrainingConfig config =
      TrainingConfigTest.quick(
              "--width=0.25",
              "--hidden=16",
              "--dim=8",
              "--prototypes=6",
              "--crops=2x16",
              "--scales=0.3-1",
              "--batch=8",
              "--epochs=2",
              "--lr=0.05",
              "--seed=5",
              "--workers=1")
          .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));

  /** SimCLR's loss (Chen et al. 2020, equation 1): each view finds the other among 2B - 1. */
  private static SDVariable ntXent(SameDiff sd, SDVariable z, Views views) {
    int n = views.rows();
    // Not lower: ND4J takes the logarithm of the softmax, and 0 times infinity is no number.
    INDArray self = Nd4j.eye(n).castTo(z.dataType()).mul(-30);
    INDArray partner = Nd4j.zeros(z.dataType(), n, n);
    for (int i = 0; i < n; i++) {
      partner.putScalar(i, (i + views.batch()) % n, 1);
    }
    SDVariable cosines = sd.mmul(z, z, false, true, false);
    SDVariable logP = sd.nn().logSoftmax(cosines.mul(1 / TAU).add(sd.constant(self)));
    return logP.mul(sd.constant(partner)).sum().mul(-1.0 / n);
  }

  /** The whole of a method without targets. */
  private static final class SimClr implements Method {
    @Override
    public Objective objective() {
      return MethodTest::ntXent;
    }
  }

  /**
   * SimCLR on embeddings less their mean over earlier steps: a target, made from a state that a
   * checkpoint must keep; and a parameter that stays for some steps.
   */
  private static final class Centred implements Method {
    private final INDArray centre = Nd4j.zeros(DataType.FLOAT, 1, 8);
    private final List<Integer> epochs = new ArrayList<>();

    @Override
    public Objective objective() {
      return (sd, z, views) ->
          ntXent(sd, z.sub(sd.placeHolder("centre", z.dataType(), 1, 8)), views);
    }

    @Override
    public void epochBegins(int epoch) {
      epochs.add(epoch);
    }

    @Override
    public void targets(TrainingStep step, long number, Collective collective) {
      step.target("centre").assign(centre);
      centre.muli(0.9).addi(step.embeddings().mean(true, 0).mul(0.1));
    }

    @Override
    public boolean trains(String parameter, long number) {
      return number >= 4 || !parameter.equals(BIAS);
    }

    @Override
    public Map<String, INDArray> state() {
      return Map.of("centre", centre);
    }

    @Override
    public void restore(Map<String, INDArray> state) {
      centre.assign(state.get("centre"));
    }
  }

  private SwavWeights weights() {
    return SwavWeights.initialise(config.network().with(3), 5);
  }

  private MultiCropLoader loader() {
    return new MultiCropLoader(
        IMAGES,
        config.crops(),
        config.augmentation(),
        config.data().normalisation(),
        8,
        config.execution().seed(),
        1);
  }

  private Trainer trainer(MultiCropLoader loader, SwavWeights weights, Method method) {
    return new Trainer(
        config, loader, IMAGES.size(), weights, method, new Nd4jEngine(), Collective.single());
  }

  private static Map<String, float[]> bits(SwavWeights weights) {
    Map<String, float[]> bits = new LinkedHashMap<>();
    weights.parameters().forEach((n, a) -> bits.put(n, a.dup().data().asFloat()));
    weights.statistics().forEach((n, a) -> bits.put(n, a.dup().data().asFloat()));
    return bits;
  }

  private static TrainingListener stopAfter(int steps, Supplier<Trainer> trainer) {
    return new TrainingListener() {
      @Override
      public void step(StepMetrics m) {
        if (m.step() + 1 == steps) {
          trainer.get().stop();
        }
      }
    };
  }

  @Test
  void theFirstLossIsThatOfTheFormulaAndTrainingLowersIt() {
    SwavWeights weights = weights();
    float[] prototypes = bits(weights).get("prototypes.weight");
    List<Double> losses = new ArrayList<>();
    double[] formula = new double[1];
    try (MultiCropLoader loader = loader();
        Trainer t = trainer(loader, weights, new SimClr())) {
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  losses.add(m.loss());
                  assertThat(m.lossShare()).isNaN();
                  assertThat(m.queueRows()).isZero();
                  if (m.step() == 0) {
                    formula[0] = nats(t.network().embeddings());
                  }
                }
              })
          .run();
    }
    assertThat(losses).hasSize(12);
    assertThat(losses.get(0)).isCloseTo(formula[0], within(1e-5));
    double first = losses.subList(0, 6).stream().mapToDouble(d -> d).average().orElseThrow();
    double second = losses.subList(6, 12).stream().mapToDouble(d -> d).average().orElseThrow();
    assertThat(second).isLessThan(first - 0.02);
    assertThat(bits(weights).get("prototypes.weight"))
        .as("the loss doesn't reach them")
        .isEqualTo(prototypes);
  }

  /** NT-Xent of 8 pairs in plain Java. */
  private static double nats(INDArray z) {
    double[][] rows = z.castTo(DataType.DOUBLE).toDoubleMatrix();
    double total = 0;
    for (int i = 0; i < 16; i++) {
      double sum = 0;
      double own = 0;
      for (int j = 0; j < 16; j++) {
        double cosine = 0;
        for (int d = 0; d < 8; d++) {
          cosine += rows[i][d] * rows[j][d];
        }
        sum += j == i ? 0 : Math.exp(cosine / TAU);
        own = j == (i + 8) % 16 ? cosine / TAU : own;
      }
      total += Math.log(sum) - own;
    }
    return total / 16;
  }

  @Test
  void aMethodWithStateStoppedAndResumedEqualsTheUninterruptedRunBitForBit() {
    SwavWeights whole = weights();
    Centred uninterrupted = new Centred();
    List<Boolean> stayed = new ArrayList<>();
    try (MultiCropLoader loader = loader();
        Trainer t = trainer(loader, whole, uninterrupted)) {
      float[] before = bits(whole).get(BIAS);
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  stayed.add(Arrays.equals(before, bits(whole).get(BIAS)));
                }
              })
          .run();
    }
    assertThat(stayed.subList(0, 5)).containsExactly(true, true, true, true, false);
    assertThat(uninterrupted.epochs).containsExactly(0, 1);
    assertThat(uninterrupted.centre.norm2Number().doubleValue()).isPositive();

    Path file = dir.resolve("checkpoint.safetensors");
    SwavWeights first = weights();
    try (MultiCropLoader loader = loader();
        Trainer t = trainer(loader, first, new Centred())) {
      t.listener(stopAfter(8, () -> t)).run();
      CheckpointFile.write(file, t.checkpoint(Double.NaN));
    }
    SwavWeights second = weights();
    Centred resumed = new Centred();
    try (MultiCropLoader loader = loader();
        Trainer t = trainer(loader, second, resumed)) {
      t.restore(CheckpointFile.read(file));
      t.run();
    }
    assertThat(resumed.epochs).containsExactly(1);
    assertThat(resumed.centre).isEqualTo(uninterrupted.centre);
    Map<String, float[]> expected = bits(whole);
    bits(second).forEach((name, a) -> assertThat(a).as(name).isEqualTo(expected.get(name)));

    try (MultiCropLoader loader = loader();
        Trainer t = trainer(loader, weights(), new SimClr())) {
      assertThatIllegalArgumentException()
          .as("state that the method doesn't know")
          .isThrownBy(() -> t.restore(CheckpointFile.read(file)))
          .withMessageContaining("[centre]")
          .withMessageContaining("SimClr");
    }
  }

  private static TrainingListener notes(List<String> notes) {
    return new TrainingListener() {
      @Override
      public void note(String line) {
        notes.add(line);
      }
    };
  }

  @Test
  void anIteratorOfAnyKindTrainsAndSaysWhatIsLostAndOneThatFitsNotIsRefused() {
    SwavWeights own = weights();
    List<String> notes = new ArrayList<>();
    try (MultiCropLoader loader = loader();
        Trainer t = trainer(loader, own, new SimClr())) {
      t.listener(notes(notes)).run();
    }
    assertThat(notes).as("a loader loses nothing").isEmpty();
    SwavWeights foreign = weights();
    try (MultiCropLoader loader = loader();
        Trainer t =
            new Trainer(
                config,
                new Hidden(loader),
                IMAGES.size(),
                foreign,
                new SimClr(),
                new Nd4jEngine(),
                Collective.single())) {
      t.listener(notes(notes)).run();
    }
    assertThat(notes)
        .singleElement()
        .asString()
        .startsWith("batches come from " + Hidden.class.getName() + ",")
        .contains("no checkpoint keeps", "resumed", "not bit for bit");
    Map<String, float[]> expected = bits(own);
    bits(foreign)
        .forEach(
            (name, a) ->
                assertThat(a).as("the same batches: " + name).isEqualTo(expected.get(name)));

    TrainingConfig larger =
        TrainingConfigTest.quick("--crops=2x24", "--scales=0.3-1", "--batch=8", "--workers=1");
    SwavWeights weights = SwavWeights.initialise(larger.network().with(3), 5);
    try (MultiCropLoader loader = loader();
        Trainer t =
            new Trainer(
                larger,
                new Hidden(loader),
                IMAGES.size(),
                weights,
                new SimClr(),
                new Nd4jEngine(),
                Collective.single())) {
      assertThatThrownBy(t::run)
          .isInstanceOf(TrainingException.class)
          .hasMessageContaining("crop group 0 has shape [16, 3, 16, 16]")
          .hasMessageContaining("expected [16, 3, 24, 24]");
    }
  }
}
