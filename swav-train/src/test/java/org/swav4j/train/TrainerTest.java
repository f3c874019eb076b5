package org.swav4j.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Nd4jEngine;

class TrainerTest {
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();

  @TempDir Path dir;

  /** A network small enough for a few steps a second, on 48 images: 6 steps an epoch. */
  private static TrainingConfig tiny(String... more) {
    List<String> flags =
        new ArrayList<>(
            List.of(
                "--width=0.25",
                "--hidden=16",
                "--dim=8",
                "--prototypes=6",
                "--crops=2x16,1x8",
                "--batch=8",
                "--epochs=2",
                "--lr=0.05",
                "--seed=5",
                "--workers=1"));
    flags.addAll(List.of(more));
    return TrainingConfigTest.quick(flags.toArray(String[]::new))
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  private static SwavWeights weights(TrainingConfig config) {
    return SwavWeights.initialise(config.network().with(3), config.execution().seed());
  }

  private static Trainer trainer(TrainingConfig config, SwavWeights weights) {
    return new Trainer(config, IMAGES, weights, new Nd4jEngine());
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
      t.checkpoint(Double.NaN).write(file);
    }
    SwavWeights second = weights(tiny("--seed=99"));
    try (Trainer t = trainer(config, second)) {
      t.restore(Checkpoint.read(file));
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
      t.judge(w -> 0.25)
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

  @Test
  void weightsThatAreNoNumbersEndTrainingWithAdvice() {
    TrainingConfig config = tiny();
    SwavWeights weights = weights(config);
    weights.parameters().get("projection_head.3.bias").putScalar(0, Float.NaN);
    try (Trainer t = trainer(config, weights)) {
      assertThatThrownBy(t::run)
          .isInstanceOf(TrainingException.class)
          .hasMessageContaining("training broke down at step 0")
          .hasMessageContaining("--lr")
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

  @Test
  void samplesAreSpreadOverTheSource() {
    Sample sample = Sample.labelled(IMAGES, 12);
    assertThat(sample.size()).isEqualTo(12);
    assertThat(sample.describe(11)).isEqualTo(IMAGES.describe(44));
    assertThat(Sample.of(IMAGES, 1000).size()).isEqualTo(48);
  }
}
