package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.engine.Nd4jEngine;

class TrainingStepTest {
  /** A network and what it is fed. */
  record Case(SwavConfig config, List<CropGroup> crops, int batch, int assigning) {
    @Override
    public String toString() {
      return config.architecture().label() + " " + config.stem().label() + " " + crops;
    }
  }

  static List<Case> cases() {
    return List.of(
        new Case(
            new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 7, 5, 6, 0.1),
            List.of(new CropGroup(2, 8), new CropGroup(2, 5)),
            3,
            2),
        new Case(
            new SwavConfig(Architecture.RESNET18, 0.0625, Stem.SMALL, 3, 6, 4, 5, 0.2),
            List.of(new CropGroup(2, 16), new CropGroup(1, 9)),
            4,
            2),
        new Case(
            new SwavConfig(Architecture.RESNET50, 0.05, Stem.IMAGENET, 3, 8, 6, 9, 0.1),
            List.of(new CropGroup(3, 40)),
            4,
            1));
  }

  private static INDArray random(Random random, long... shape) {
    INDArray a = Nd4j.create(DataType.DOUBLE, shape);
    for (long i = 0; i < a.length(); i++) {
      a.data().put(i, random.nextGaussian());
    }
    return a;
  }

  private static INDArray randomCodes(Random random, long rows, long prototypes) {
    return Transforms.softmax(random(random, rows, prototypes), false);
  }

  private static SwavWeights weights(Case c) {
    SwavWeights w = SwavWeights.initialise(c.config, 5, DataType.DOUBLE);
    Random random = new Random(6);
    // Betas and biases away from zero, so that no gradient is zero by luck.
    w.parameters().values().stream()
        .filter(p -> p.rank() == 1)
        .forEach(p -> p.addi(random(random, p.shape()).muli(0.1)));
    return w;
  }

  private static void feed(TrainingStep step, Case c, Random random) {
    for (int g = 0; g < c.crops.size(); g++) {
      INDArray crops = step.crops(g);
      crops.assign(random(random, crops.shape()));
    }
    step.codes().assign(randomCodes(random, step.codes().size(0), step.codes().size(1)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void planEqualsPlainSameDiff(Case c) {
    SwavWeights weights = weights(c);
    SwavGraph graph =
        new SwavGraph(
            weights,
            new Views(c.crops, c.batch),
            new SwappedPrediction(c.assigning, c.config.temperature()));
    SameDiff sd = graph.sameDiff();
    try (TrainingStep step =
        new TrainingStep(weights, c.crops, c.batch, c.assigning, new Nd4jEngine())) {
      feed(step, c, new Random(7));
      step.forward();
      double loss = step.backward();

      Map<String, INDArray> fed = new HashMap<>();
      for (int g = 0; g < c.crops.size(); g++) {
        fed.put(SwavGraph.cropsName(g), step.crops(g).dup());
      }
      fed.put(SwappedPrediction.CODES, step.codes().dup());
      Map<String, INDArray> plain =
          sd.output(fed, SwappedPrediction.SCORES, Objective.EMBEDDINGS, SwavGraph.LOSS);
      Map<String, INDArray> gradients = sd.calculateGradients(fed, weights.parameters().keySet());

      assertClose("scores", step.scores(), plain.get(SwappedPrediction.SCORES));
      assertClose("embeddings", step.embeddings(), plain.get(Objective.EMBEDDINGS));
      assertThat(loss).isCloseTo(plain.get(SwavGraph.LOSS).getDouble(0), within(1e-9));
      assertThat(step.gradients().keySet()).isEqualTo(weights.parameters().keySet());
      step.gradients().forEach((name, g) -> assertClose(name, g, gradients.get(name)));
    }
  }

  private static org.assertj.core.data.Offset<Double> within(double offset) {
    return org.assertj.core.data.Offset.offset(offset);
  }

  /**
   * ND4J's native batch norm gradient is itself only good to a float's 1/N: hence 1e-6; and a bias
   * before a batch norm has gradient 0 but for rounding: hence the floor.
   */
  private static void assertClose(String what, INDArray actual, INDArray expected) {
    double scale = Math.max(0.1, Transforms.abs(expected, true).maxNumber().doubleValue());
    double difference = Transforms.abs(actual.sub(expected), false).maxNumber().doubleValue();
    assertThat(difference / scale).as(what).isLessThan(1e-6);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientsEqualFiniteDifferencesOfTheLoss(Case c) {
    SwavWeights weights = weights(c);
    try (TrainingStep step =
        new TrainingStep(weights, c.crops, c.batch, c.assigning, new Nd4jEngine())) {
      feed(step, c, new Random(8));
      step.forward();
      step.backward();
      Map<String, INDArray> gradients = new LinkedHashMap<>();
      step.gradients().forEach((name, g) -> gradients.put(name, g.dup()));
      Random random = new Random(9);
      Map<String, INDArray> direction = new LinkedHashMap<>();
      weights.parameters().forEach((name, p) -> direction.put(name, random(random, p.shape())));
      direction.values().forEach(d -> d.divi(d.norm2Number().doubleValue()));
      assertSlope(step, weights, gradients, direction);
      for (String name :
          List.of(
              "conv1.weight",
              "bn1.bias",
              "layer2.0.downsample.1.weight",
              "layer3.0.conv1.weight",
              "projection_head.1.weight",
              "projection_head.3.bias",
              "prototypes.weight")) {
        assertSlope(step, weights, gradients, Map.of(name, direction.get(name)));
      }
    }
  }

  private static void assertSlope(
      TrainingStep step,
      SwavWeights weights,
      Map<String, INDArray> gradients,
      Map<String, INDArray> direction) {
    double slope = slope(step, weights, direction);
    double predicted = 0;
    double size = 0;
    for (Map.Entry<String, INDArray> d : direction.entrySet()) {
      INDArray g = gradients.get(d.getKey());
      predicted += g.mul(d.getValue()).sumNumber().doubleValue();
      size += g.norm2Number().doubleValue() * d.getValue().norm2Number().doubleValue();
    }
    assertThat(predicted)
        .as(
            "along %s directions, one of them %s",
            direction.size(), direction.keySet().iterator().next())
        .isCloseTo(slope, within(1e-6 + 1e-4 * size));
  }

  private static double slope(
      TrainingStep step, SwavWeights weights, Map<String, INDArray> direction) {
    double h = 1e-8;
    direction.forEach((name, d) -> weights.parameters().get(name).addi(d.mul(h)));
    step.forward();
    double up = step.backward();
    direction.forEach((name, d) -> weights.parameters().get(name).subi(d.mul(2 * h)));
    step.forward();
    double down = step.backward();
    direction.forEach((name, d) -> weights.parameters().get(name).addi(d.mul(h)));
    return (up - down) / (2 * h);
  }

  @Test
  void equalRunsGiveEqualNumbers() {
    Case c = cases().get(0);
    try (TrainingStep step =
        new TrainingStep(weights(c), c.crops, c.batch, c.assigning, new Nd4jEngine())) {
      feed(step, c, new Random(10));
      step.forward();
      double first = step.backward();
      INDArray gradient = step.gradients().get("conv1.weight").dup();
      step.forward();
      assertThat(step.backward()).isEqualTo(first);
      assertThat(step.gradients().get("conv1.weight")).isEqualTo(gradient);
    }
  }

  @Test
  void runningStatisticsMoveOncePerCropSize() {
    SwavConfig config = new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 7, 5, 6, 0.1);
    SwavWeights weights = SwavWeights.initialise(config, 5, DataType.DOUBLE);
    INDArray kernel = weights.parameters().get("conv1.weight").assign(0);
    // One tap in the middle: the stem's output is the image, plane by plane.
    for (long o = 0; o < kernel.size(3); o++) {
      kernel.putScalar(new long[] {1, 1, 0, o}, 1);
    }
    try (TrainingStep step =
        new TrainingStep(
            weights, List.of(new CropGroup(2, 8), new CropGroup(1, 6)), 2, 2, new Nd4jEngine())) {
      step.crops(0).assign(3);
      step.crops(0).putScalar(new long[] {0, 0, 0, 0}, 3 + 256);
      step.crops(1).assign(5);
      step.codes().assign(1.0 / 6);
      step.forward();
      step.backward();
    }
    // Group 0: mean 3 + 256/256 = 4, unbiased variance 256; group 1: mean 5, variance 0.
    double mean = 0.9 * (0.9 * 0 + 0.1 * 4) + 0.1 * 5;
    double variance = 0.9 * (0.9 * 1 + 0.1 * 256) + 0.1 * 0;
    assertThat(weights.statistics().get("bn1.running_mean").getDouble(0))
        .isCloseTo(mean, within(1e-9));
    assertThat(weights.statistics().get("bn1.running_var").getDouble(0))
        .isCloseTo(variance, within(1e-9));
  }

  @Test
  void refusesWhatCannotBeTrained() {
    SwavWeights weights = weights(cases().get(0));
    assertThatThrownBy(
            () -> new TrainingStep(weights, List.of(new CropGroup(1, 8)), 4, 1, new Nd4jEngine()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 crop per image");
    assertThatThrownBy(
            () -> new TrainingStep(weights, List.of(new CropGroup(2, 8)), 4, 3, new Nd4jEngine()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("assigning crops are 3");
  }
}
