package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Objective;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.method.Method;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.optimiser.Sgd;
import org.swav4j.train.run.CheckpointFile;

/** A batch in parts is the batch at once. */
class AccumulationTest {
  private static final int PART = 4;
  private static final int STEPS = 3;
  private static final SwavConfig NETWORK =
      new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 8, 6, 5, 0.1);
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();

  @TempDir Path dir;

  /**
   * Two parts whose batch norm is that of the whole: the second has the crops of the first, in
   * other places and as crops of other images. So codes and losses are others in each part and in
   * the whole, and statistics are not.
   */
  private static INDArray[] parts() {
    INDArray a = Nd4j.randn(DataType.DOUBLE, PART, 1, 12, 12);
    INDArray b = Nd4j.randn(DataType.DOUBLE, PART, 1, 12, 12);
    INDArray turned = Nd4j.concat(0, rows(a, 1, PART), rows(a, 0, 1));
    return new INDArray[] {Nd4j.concat(0, a, b), Nd4j.concat(0, b, turned)};
  }

  private static INDArray rows(INDArray array, int from, int to) {
    return array.get(NDArrayIndex.interval(from, to));
  }

  /** Crops of both parts as those of one batch: crop 0 of all images, then crop 1. */
  private static INDArray whole(INDArray[] parts) {
    return Nd4j.concat(
        0,
        rows(parts[0], 0, PART),
        rows(parts[1], 0, PART),
        rows(parts[0], PART, 2 * PART),
        rows(parts[1], PART, 2 * PART));
  }

  private static SwavWeights train(INDArray crops, int parts, int queue, double[] losses) {
    SwavWeights weights = SwavWeights.initialise(NETWORK, 1, DataType.DOUBLE);
    SwavMethod method =
        new SwavMethod(
            new SwavMethod.Settings(2, 0.1).withQueue(queue, 0),
            new SwavCodes(0.05, 3),
            new Nd4jEngine());
    Views views = new Views(List.of(new CropGroup(2, 12)), (int) crops.size(0) / 2);
    try (MethodStep step =
        new MethodStep(
            weights,
            views,
            parts,
            method,
            new Sgd(0.9, 1e-4),
            new Nd4jEngine(),
            Collective.single())) {
      for (int t = 0; t < losses.length; t++) {
        step.crops(0).assign(crops);
        losses[t] = step.run(t, 0.05);
      }
    }
    return weights;
  }

  @Test
  void codesLossesQueueAndEveryWeightAreThoseOfTheBatchAtOnce() {
    INDArray[] parts = parts();
    double[] expected = new double[STEPS];
    double[] actual = new double[STEPS];
    SwavWeights atOnce = train(whole(parts), 1, 2 * PART, expected);
    SwavWeights inParts = train(whole(parts), 2, 2 * PART, actual);
    for (int t = 0; t < STEPS; t++) {
      assertThat(actual[t]).as("loss of step " + t).isCloseTo(expected[t], within(1e-9));
    }
    atOnce
        .parameters()
        .forEach(
            (name, w) ->
                assertThat(inParts.parameters().get(name).distance2(w)).as(name).isLessThan(1e-8));

    double[] first = new double[1];
    double[] second = new double[1];
    train(parts[0], 1, 0, first);
    train(parts[1], 1, 0, second);
    assertThat(Math.abs((first[0] + second[0]) / 2 - expected[0]))
        .as("control: with codes of each part alone the loss is another")
        .isGreaterThan(1e-3);
  }

  @Test
  void aMethodThatComparesTheImagesOfABatchIsRefused() {
    Method comparing =
        new Method() {
          @Override
          public Objective objective() {
            return (sd, z, views) -> sd.math().square(sd.mmul(z, z, false, true, false)).mean();
          }
        };
    SwavWeights weights = SwavWeights.initialise(NETWORK, 1);
    Views views = new Views(List.of(new CropGroup(2, 12)), 8);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new MethodStep(
                    weights,
                    views,
                    2,
                    comparing,
                    new Sgd(0.9, 0),
                    new Nd4jEngine(),
                    Collective.single()))
        .withMessageContaining("`accumulate` is 2, expected 1");
  }

  /** Two groups of one size, with scales of their own, which the network sees as one. */
  private static TrainingConfig config(String... more) {
    Map<String, String> flags = new LinkedHashMap<>();
    Stream.concat(
            Stream.of(
                "--width=0.25",
                "--hidden=16",
                "--dim=8",
                "--prototypes=6",
                "--crops=2x12,1x8,1x8",
                "--scales=0.3-1,0.1-0.3,0.3-0.6",
                "--queue=8",
                "--epochs=2",
                "--lr=0.05",
                "--seed=5",
                "--workers=1"),
            Stream.of(more))
        .forEach(flag -> flags.put(flag.split("=", 2)[0], flag));
    return TrainingConfigTest.quick(flags.values().toArray(String[]::new))
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  private static Trainer trainer(TrainingConfig config, SwavWeights weights) {
    return new Trainer(config, IMAGES, weights, new Nd4jEngine());
  }

  private static SwavWeights weights(TrainingConfig config) {
    return SwavWeights.initialise(config.network().with(3), 5);
  }

  private static MultiCropLoader loader(TrainingConfig config, int batch) {
    return new MultiCropLoader(
        IMAGES,
        config.crops(),
        config.augmentation(),
        config.data().normalisation(),
        batch,
        config.execution().seed(),
        1);
  }

  @Test
  void stepsAndCropsAreThoseOfTheLargeBatch() {
    TrainingConfig config = config("--batch=5", "--accumulate=2");
    assertThat(config.groups()).containsExactly(new CropGroup(2, 12), new CropGroup(2, 8));
    List<INDArray[]> expected = new ArrayList<>();
    try (MultiCropLoader loader = loader(config, 10)) {
      for (int epoch = 0; epoch < 2; epoch++) {
        for (MultiCropBatch batch : loader.epoch(epoch)) {
          try (batch) {
            expected.add(
                new INDArray[] {
                  batch.crops(0).dup(), Nd4j.concat(0, batch.crops(1), batch.crops(2))
                });
          }
        }
      }
    }
    try (Trainer t = trainer(config, weights(config))) {
      assertThat(t.sizes().stepsPerEpoch()).isEqualTo(4);
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  INDArray[] crops = expected.remove(0);
                  for (int g = 0; g < 2; g++) {
                    assertThat(t.network().crops(g)).as("step " + m.step()).isEqualTo(crops[g]);
                  }
                }
              })
          .run();
    }
    assertThat(expected).isEmpty();
  }

  @Test
  void aRunInPartsStoppedAndResumedEqualsTheUninterruptedOneBitForBit() {
    TrainingConfig config = config("--batch=4", "--accumulate=2");
    SwavWeights whole = weights(config);
    try (Trainer t = trainer(config, whole)) {
      t.run();
    }
    Path file = dir.resolve("checkpoint.safetensors");
    try (Trainer t = trainer(config, weights(config))) {
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
    try (Trainer t = trainer(config, resumed)) {
      t.restore(CheckpointFile.read(file));
      t.run();
      assertThat(t.done()).isEqualTo(12);
    }
    whole
        .parameters()
        .forEach((name, w) -> assertThat(resumed.parameters().get(name)).as(name).isEqualTo(w));
    whole
        .statistics()
        .forEach((name, w) -> assertThat(resumed.statistics().get(name)).as(name).isEqualTo(w));
  }
}
