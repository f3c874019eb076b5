package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.advice.AdviceListener;
import org.swav4j.train.advice.CollapseMonitor;
import org.swav4j.train.advice.HealthListener;
import org.swav4j.train.advice.VitalSigns;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.run.CheckpointFile;

class TrainerTest {
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();

  @TempDir Path dir;

  /** A network small enough for a few steps a second, on 48 images: 6 steps an epoch. */
  private static TrainingConfig tiny(String... more) {
    Map<String, String> flags = new LinkedHashMap<>();
    Stream.concat(
            Stream.of(
                "--width=0.25",
                "--hidden=16",
                "--dim=8",
                "--prototypes=6",
                "--crops=2x16,1x8",
                "--batch=8",
                "--epochs=2",
                "--lr=0.05",
                "--seed=5",
                "--workers=1"),
            Stream.of(more))
        .forEach(flag -> flags.put(flag.split("=", 2)[0], flag));
    return TrainingConfigTest.quick(flags.values().toArray(String[]::new))
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  private static SwavWeights weights(TrainingConfig config) {
    return SwavWeights.initialise(config.network().with(3), config.execution().seed());
  }

  private static Trainer trainer(TrainingConfig config, SwavWeights weights) {
    Trainer trainer = new Trainer(config, IMAGES, weights, new Nd4jEngine());
    return trainer
        .listener(new HealthListener(trainer.network(), weights))
        .listener(
            new AdviceListener(
                new CollapseMonitor(config, trainer.sizes()),
                new VitalSigns(trainer.network(), trainer.sizes().batch(), weights)));
  }

  private static List<String> warnings(TrainingConfig config, Trainer trainer) {
    return new CollapseMonitor(config, trainer.sizes()).beforeTraining();
  }

  private static Map<String, float[]> bits(SwavWeights weights) {
    Map<String, float[]> bits = new LinkedHashMap<>();
    weights.parameters().forEach((n, a) -> bits.put(n, a.dup().data().asFloat()));
    weights.statistics().forEach((n, a) -> bits.put(n, a.dup().data().asFloat()));
    return bits;
  }

  private static void assertSame(SwavWeights actual, Map<String, float[]> expected) {
    bits(actual).forEach((name, a) -> assertThat(a).as(name).isEqualTo(expected.get(name)));
  }

  /** The same images with labels that can't be asked for. */
  private static ImageSource unlabelled(ImageSource source) {
    return (ImageSource)
        Proxy.newProxyInstance(
            ImageSource.class.getClassLoader(),
            new Class<?>[] {ImageSource.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("label") || method.getName().equals("classes")) {
                throw new AssertionError("pre-training asks for labels: " + method.getName());
              }
              try {
                return method.invoke(source, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Only {@code supervised} may look at labels. */
  @ParameterizedTest
  @ValueSource(strings = {"swav", "simclr"})
  void labelsNeverEnterPreTraining(String method) {
    TrainingConfig config = tiny("--method=" + method, "--epochs=1");
    SwavWeights with = weights(config);
    try (Trainer t = new Trainer(config, IMAGES, with, new Nd4jEngine())) {
      t.run();
    }
    SwavWeights without = weights(config);
    try (Trainer t = new Trainer(config, unlabelled(IMAGES), without, new Nd4jEngine())) {
      t.run();
    }
    assertSame(without, bits(with));
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 6, 8})
  void stoppedAndResumedRunEqualsTheUninterruptedOneBitForBit(int stopAfter) {
    TrainingConfig config =
        tiny("--optimiser=lars", "--lr=0.6", "--queue=16", "--queue-start=0.5", "--freeze=0.5");
    SwavWeights whole = weights(config);
    List<Double> losses = new ArrayList<>();
    try (Trainer t = trainer(config, whole)) {
      t.listener(losses(losses)).run();
    }
    Path file = dir.resolve("checkpoint.safetensors");
    List<Double> resumed = new ArrayList<>();
    SwavWeights first = weights(config);
    try (Trainer t = trainer(config, first)) {
      t.listener(losses(resumed))
          .listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  if (m.step() + 1 == stopAfter) {
                    t.stop();
                  }
                }
              })
          .run();
      assertThat(t.done()).isEqualTo(stopAfter);
      CheckpointFile.write(file, t.checkpoint(Double.NaN));
    }
    SwavWeights second = weights(tiny("--seed=99"));
    try (Trainer t = trainer(config, second)) {
      t.restore(CheckpointFile.read(file));
      t.listener(losses(resumed)).run();
    }
    assertThat(resumed).isEqualTo(losses);
    assertSame(second, bits(whole));
  }

  private static TrainingListener losses(List<Double> losses) {
    return new TrainingListener() {
      @Override
      public void step(StepMetrics m) {
        losses.add(m.loss());
      }

      @Override
      public void epoch(EpochMetrics m) {
        losses.add(m.loss());
      }
    };
  }

  @Test
  void numberOfWorkersDoesNotChangeTheResult() {
    SwavWeights one = weights(tiny());
    try (Trainer t = trainer(tiny("--workers=1", "--epochs=1"), one)) {
      t.run();
    }
    SwavWeights three = weights(tiny());
    try (Trainer t = trainer(tiny("--workers=3", "--epochs=1"), three)) {
      t.run();
    }
    assertSame(three, bits(one));
  }

  @Test
  void frozenPrototypesOnlyComeBackToTheSphereAndThenMove() {
    TrainingConfig config = tiny("--freeze=1", "--epochs=2");
    SwavWeights weights = weights(config);
    INDArray prototypes = weights.parameters().get("prototypes.weight");
    float[] before = prototypes.dup().data().asFloat();
    List<Double> moved = new ArrayList<>();
    try (Trainer t = trainer(config, weights)) {
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  float[] now = prototypes.dup().data().asFloat();
                  double largest = 0;
                  for (int i = 0; i < now.length; i++) {
                    largest = Math.max(largest, Math.abs(now[i] - before[i]));
                  }
                  moved.add(largest);
                }
              })
          .run();
    }
    assertThat(moved).hasSize(12);
    assertThat(moved.subList(0, 6)).allMatch(d -> d < 1e-6);
    assertThat(moved.get(6)).isGreaterThan(1e-5);
  }

  @Test
  void metricsTellLossesRatesAndWhenTheQueueWorks() {
    TrainingConfig config = tiny("--queue=16", "--queue-start=0.5", "--warmup=0.5");
    List<StepMetrics> steps = new ArrayList<>();
    List<EpochMetrics> epochs = new ArrayList<>();
    try (Trainer t = trainer(config, weights(config))) {
      t.judge(w -> FeatureQuality.UNKNOWN.withKnn(0.25))
          .listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  steps.add(m);
                }

                @Override
                public void epoch(EpochMetrics m) {
                  epochs.add(m);
                }
              })
          .run();
    }
    assertThat(steps).hasSize(12).allMatch(m -> m.loss() > 0 && m.seconds() > 0);
    assertThat(steps.get(0).lossShare())
        .isCloseTo(steps.get(0).loss() / Math.log(6), within(1e-12));
    assertThat(steps.get(0).learningRate()).isZero();
    assertThat(steps.get(3).learningRate()).isEqualTo(0.05);
    assertThat(steps.stream().map(StepMetrics::queueRows).toList())
        .as("filled in steps 3 and 4, used from step 5")
        .containsExactly(0, 0, 0, 0, 0, 16, 16, 16, 16, 16, 16, 16);
    assertThat(epochs).extracting(EpochMetrics::epoch).containsExactly(0, 1, 2);
    assertThat(epochs).allMatch(e -> e.knn() == 0.25);
    assertThat(epochs.get(1).loss())
        .isCloseTo(
            steps.subList(0, 6).stream().mapToDouble(StepMetrics::loss).average().orElseThrow(),
            within(1e-12));
  }

  private static List<EpochMetrics> epochs(TrainingConfig config, SwavWeights weights) {
    try (Trainer t = trainer(config, weights)) {
      return epochs(t);
    }
  }

  private static List<EpochMetrics> epochs(Trainer trainer) {
    List<EpochMetrics> epochs = new ArrayList<>();
    trainer
        .listener(
            new TrainingListener() {
              @Override
              public void epoch(EpochMetrics m) {
                epochs.add(m);
              }
            })
        .run();
    return epochs;
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void healthOfEveryEpochIsKnownAndTheLastStepsLossIsEntropyPlusDivergence(DataType type) {
    TrainingConfig config = tiny();
    List<Double> losses = new ArrayList<>();
    List<EpochDiagnostics> seen = new ArrayList<>();
    List<EpochMetrics> epochs;
    SwavWeights weights = SwavWeights.initialise(config.network().with(3), 5, type);
    try (Trainer t = trainer(config, weights)) {
      t.listener(losses(losses))
          .listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  seen.add(look(t.network()));
                }
              });
      epochs = epochs(t);
    }
    assertThat(epochs).hasSize(3);
    assertThat(epochs.get(0).health()).isEqualTo(EpochDiagnostics.UNKNOWN);
    for (EpochMetrics e : epochs.subList(1, 3)) {
      EpochDiagnostics health = e.health();
      // The list holds what is told: the untrained epoch's, then six steps' and their mean, twice.
      assertThat(health.codeEntropy() + health.divergence())
          .as("of the only inspected step, the sixth")
          .isCloseTo(losses.get(7 * e.epoch() - 1), within(1e-9));
      EpochDiagnostics last = seen.get(6 * e.epoch() - 1);
      assertThat(health.codeEntropy()).isCloseTo(last.codeEntropy(), within(1e-6));
      assertThat(health.used()).isEqualTo(last.used());
      assertThat(health.largest()).isEqualTo(last.largest());
      assertThat(health.spread()).isCloseTo(last.spread(), within(1e-6));
      assertThat(health.distinct()).as("off the sphere after the step").isEqualTo(1);
    }
  }

  /** What a step's arrays say, by other means than training's. */
  private static EpochDiagnostics look(TrainingStep step) {
    INDArray q = step.codes().castTo(DataType.DOUBLE);
    INDArray z = step.embeddings().get(NDArrayIndex.interval(0, q.size(0))).castTo(DataType.DOUBLE);
    Map<Long, Long> best =
        Arrays.stream(
                step.scores().get(NDArrayIndex.interval(0, q.size(0))).argMax(1).toLongVector())
            .boxed()
            .collect(Collectors.groupingBy(k -> k, Collectors.counting()));
    return new EpochDiagnostics(
        -q.mul(Transforms.log(q.add(1e-30))).sumNumber().doubleValue() / q.size(0),
        Double.NaN,
        best.size() / 6.0,
        (double) Collections.max(best.values()) / q.size(0),
        z.std(false, 0).meanNumber().doubleValue() * Math.sqrt(z.size(1)),
        Double.NaN);
  }

  @Test
  void anEpochResumedAfterItsInspectedStepsStillKnowsItsHealth() {
    TrainingConfig config =
        tiny("--batch=4"); // 12 steps an epoch, of which 10 and 12 are inspected
    SwavWeights weights = weights(config);
    Path file = dir.resolve("checkpoint.safetensors");
    try (Trainer t = trainer(config, weights)) {
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  if (m.step() == 10) {
                    t.stop();
                  }
                }
              })
          .run();
      CheckpointFile.write(file, t.checkpoint(Double.NaN));
    }
    try (Trainer t = trainer(config, weights)) {
      t.restore(CheckpointFile.read(file));
      assertThat(epochs(t))
          .hasSize(2)
          .allMatch(e -> e.health().divergence() > 0 && e.health().spread() > 0.1);
    }
  }

  @Test
  void aRunTooSlowForLarsIsToldSoBeforehandAndOnceWhenItsLossStaysAtChance() {
    TrainingConfig config = tiny("--optimiser=lars", "--lr=1e-5", "--warmup=0", "--epochs=52");
    List<EpochMetrics> epochs;
    try (Trainer t = trainer(config, weights(config))) {
      assertThat(warnings(config, t)).singleElement().asString().contains("1e-5 with lars");
      t.restore(atStep(288, t.checkpoint(Double.NaN)));
      epochs = epochs(t);
    }
    assertThat(epochs).extracting(EpochMetrics::step).containsExactly(294L, 300L, 306L, 312L);
    assertThat(epochs.get(0).advice()).as("within patience").isEmpty();
    assertThat(epochs.get(1).advice())
        .singleElement()
        .asString()
        .contains("after 300 steps", "that of chance", "1e-5 with lars");
    assertThat(epochs.subList(2, 4)).as("said before").allMatch(e -> e.advice().isEmpty());
  }

  /** As if so many steps had changed nothing. */
  private static Checkpoint atStep(long step, Checkpoint c) {
    return new Checkpoint(
        c.config(),
        c.images(),
        c.channels(),
        c.data(),
        step,
        0,
        c.rawPixels(),
        c.parameters(),
        c.statistics(),
        c.momentum(),
        c.method(),
        c.average());
  }

  @Test
  void embeddingsThatAreAllEqualAreCalledCollapsedAfterTheFirstEpoch() {
    TrainingConfig config = tiny("--lr=1e-6");
    SwavWeights weights = weights(config);
    weights.parameters().get("projection_head.3.weight").assign(0);
    weights.parameters().get("projection_head.3.bias").assign(1);
    List<EpochMetrics> epochs = epochs(config, weights);
    assertThat(epochs.get(1).health().spread()).isLessThan(1e-3);
    assertThat(epochs.get(1).advice()).singleElement().asString().startsWith("collapsed");
    assertThat(epochs.get(2).advice()).as("said before").isEmpty();
  }

  @Test
  void morePrototypesThanSamplesAreWarnedOfWithTheFloorThatTheLossKeeps() {
    TrainingConfig config = tiny("--prototypes=40", "--epochs=60", "--warmup=0");
    try (Trainer t = trainer(config, weights(config))) {
      assertThat(warnings(config, t))
          .singleElement()
          .asString()
          .contains("ln(K/(B+L)) = 1.61 (0.44 ln K)", "at most 8 `prototypes`");
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  assertThat(m.loss()).isGreaterThan(t.sizes().lossFloor());
                  t.stop();
                }

                @Override
                public void epoch(EpochMetrics m) {
                  assertThat(m.advice()).isEqualTo(warnings(config, t));
                }
              })
          .run();
    }
  }

  @Test
  void weightsThatAreNoNumbersEndTrainingWithAdvice() {
    TrainingConfig config = tiny();
    SwavWeights weights = weights(config);
    weights.parameters().get("projection_head.3.bias").putScalar(0, Float.NaN);
    try (Trainer t = trainer(config, weights)) {
      assertThatThrownBy(t::run)
          .isInstanceOf(TrainingException.class)
          .hasMessageContaining("training broke down at step 0")
          .hasMessageContaining("`learningRate`")
          .hasMessageContaining("last checkpoint");
    }
  }

  @Test
  void aCheckpointOfAnotherNetworkOrOtherDataIsRefused() {
    TrainingConfig config = tiny();
    Checkpoint checkpoint;
    try (Trainer t = trainer(config, weights(config))) {
      checkpoint = t.checkpoint(Double.NaN);
    }
    TrainingConfig wider = tiny("--width=0.5");
    try (Trainer t = trainer(wider, weights(wider))) {
      assertThatThrownBy(() -> t.restore(checkpoint))
          .isInstanceOf(TrainingException.class)
          .hasMessageContaining("parameter conv1.weight is FLOAT[3, 3, 3, 4]")
          .hasMessageContaining("expected FLOAT[3, 3, 3, 8]")
          .hasMessageContaining("another architecture");
    }
    ImageSource fewer = DataSpec.parse("shapes:40").open().train();
    try (Trainer t = new Trainer(config, fewer, weights(config), new Nd4jEngine())) {
      assertThatThrownBy(() -> t.restore(checkpoint))
          .isInstanceOf(TrainingException.class)
          .hasMessageContaining("48 images of 3 channels")
          .hasMessageContaining("has 40 of 3");
    }
  }
}
