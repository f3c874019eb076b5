package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.swav4j.model.ArrayAssert.assertExact;
import static org.swav4j.model.ArrayAssert.difference;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.Precision;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;

/** Trunks that aren't residual networks. */
class BackboneTest {
  private static final SwavConfig AROUND = SwavConfig.aroundBackbone(3, 12, 8, 5, 0.1);

  @TempDir private Path folder;

  /** Convolution, norm and rectifier twice, and a maximum between them: as in VGG networks. */
  record Vgg(String name, int width) implements Backbone {
    @Override
    public <T> T features(T images, Layers<T> layers) {
      T x = layers.convolution(images, Convolution.of("conv1", 3, width, 3, 1));
      x = layers.relu(layers.norm(x, "norm1"));
      x = layers.maxPool(x, new Window(2, 2, 0));
      x =
          layers.convolution(
              x, new Convolution("conv2", width, 2 * width, new Window(3, 1, 0), false));
      return layers.mean(layers.relu(layers.norm(x, "norm2")));
    }
  }

  /**
   * What residual networks have not: a norm first, a convolution without norm, one with bias, a
   * result read twice before and after its rectifier, a sum of two results without convolution.
   */
  record Tangled(boolean bias) implements Backbone {
    @Override
    public String name() {
      return "tangled";
    }

    @Override
    public <T> T features(T images, Layers<T> layers) {
      T x = layers.norm(images, "first");
      T a = layers.convolution(x, Convolution.of("a", 3, 6, 3, 1));
      T b =
          layers.convolution(layers.relu(a), new Convolution("b", 6, 6, new Window(1, 1, 0), bias));
      T c = layers.norm(layers.add(layers.norm(a, "a.norm"), b), "c");
      T pooled = layers.maxPool(layers.add(layers.relu(c), x6(x, layers)), new Window(3, 2, 1));
      T sum = layers.relu(layers.add(pooled, layers.relu(pooled)));
      return layers.mean(bias ? layers.averagePool(sum, new Window(2, 2, 0)) : sum);
    }

    private static <T> T x6(T x, Layers<T> layers) {
      return layers.relu(layers.convolution(x, Convolution.of("d", 3, 6, 1, 1)));
    }
  }

  static SwavWeights used(Backbone backbone, DataType type) {
    return TrainedWeights.trained(SwavWeights.initialise(backbone, AROUND, 3, type), 3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"onednn", "nd4j"})
  void anotherTrunkTrains(String engine) {
    SwavWeights weights = SwavWeights.initialise(new Vgg("vgg", 4), AROUND, 3);
    List<CropGroup> crops = List.of(new CropGroup(2, 16), new CropGroup(1, 10));
    try (TrainingStep step =
        new TrainingStep(weights, crops, 6, 2, Engines.of(engine, Precision.FLOAT))) {
      for (int g = 0; g < crops.size(); g++) {
        step.crops(g).assign(TrainedWeights.images(g, DataType.FLOAT, step.crops(g).shape()));
      }
      double first = Double.NaN;
      double last = Double.NaN;
      for (int i = 0; i < 40; i++) {
        step.forward();
        for (int row = 0; row < 12; row++) {
          step.codes().getRow(row).assign(0).putScalar(row % 6 % 5, 1);
        }
        last = step.backward();
        first = i == 0 ? last : first;
        step.gradients().forEach((name, g) -> weights.parameters().get(name).subi(g.mul(0.2)));
      }
      assertThat(last).isLessThan(first / 2);
      assertThat(step.gradients().keySet()).contains("conv2.weight", "norm2.bias");
      assertThat(weights.statistics().get("norm2.running_mean").amaxNumber().doubleValue())
          .isPositive();
    }
  }

  @ParameterizedTest
  @MethodSource("trunks")
  void gradientsAreThoseOfFiniteDifferences(Backbone backbone) {
    SwavWeights weights = SwavWeights.initialise(backbone, AROUND, 3, DataType.DOUBLE);
    try (TrainingStep step =
        new TrainingStep(weights, List.of(new CropGroup(2, 8)), 3, 2, new Nd4jEngine())) {
      step.crops(0).assign(TrainedWeights.images(1, DataType.DOUBLE, step.crops(0).shape()));
      step.codes().assign(1.0 / 5);
      step.forward();
      step.backward();
      Map<String, Double> gradients = new LinkedHashMap<>();
      step.gradients().forEach((name, g) -> gradients.put(name, g.getDouble(1)));
      gradients.keySet().removeIf(name -> !ParameterShapes.ofTrunk(name));
      assertThat(gradients).hasSizeGreaterThan(5);
      gradients.forEach(
          (name, gradient) -> {
            INDArray parameter = weights.parameters().get(name);
            double before = parameter.getDouble(1);
            double h = 1e-5;
            double above = lossWith(step, parameter, before + h);
            double below = lossWith(step, parameter, before - h);
            parameter.putScalar(1, before);
            assertThat((above - below) / (2 * h)).as(name).isCloseTo(gradient, within(1e-6));
          });
    }
  }

  private static double lossWith(TrainingStep step, INDArray parameter, double value) {
    parameter.putScalar(1, value);
    step.forward();
    return step.backward();
  }

  @ParameterizedTest
  @MethodSource("trunks")
  void bothEnginesTrainAlike(Backbone backbone) {
    Map<String, INDArray> expected = null;
    for (String engine : List.of("nd4j", "onednn")) {
      SwavWeights weights = SwavWeights.initialise(backbone, AROUND, 3);
      try (TrainingStep step =
          new TrainingStep(
              weights, List.of(new CropGroup(2, 8)), 3, 2, Engines.of(engine, Precision.FLOAT))) {
        step.crops(0).assign(TrainedWeights.images(1, DataType.FLOAT, step.crops(0).shape()));
        step.codes().assign(1.0 / 5);
        step.forward();
        step.backward();
        Map<String, INDArray> gradients = new LinkedHashMap<>();
        step.gradients().forEach((name, g) -> gradients.put(name, g.dup()));
        if (expected == null) {
          expected = gradients;
        } else {
          expected.forEach(
              (name, g) ->
                  assertThat(difference(gradients.get(name), g)).as(name).isLessThan(1e-4));
        }
      }
    }
  }

  /** Two ways that are joined, rectifiers that leak, and pooling that pads unevenly. */
  record Forked() implements Backbone {
    @Override
    public String name() {
      return "forked";
    }

    @Override
    public <T> T features(T images, Layers<T> layers) {
      T stem = layers.convolution(images, new Convolution("stem", 3, 5, new Window(2, 1, 0), true));
      T x = layers.leakyRelu(layers.norm(stem, "norm"), 0.1);
      T a = layers.leakyRelu(layers.convolution(x, Convolution.of("a", 5, 4, 1, 1)), 0.3);
      T b = layers.relu(layers.convolution(x, Convolution.of("b", 5, 3, 3, 1)));
      T joined = layers.concat(layers.concat(a, b), stem);
      T pooled = layers.maxPool(joined, new Window(2, 2, Window.SAME));
      T average = layers.averagePool(pooled, new Window(3, 1, Window.SAME));
      T both = layers.concat(average, layers.maxPool(pooled, new Window(2, 1, Window.SAME)));
      T last = layers.convolution(both, Convolution.of("last", 24, 6, 1, 2));
      return layers.mean(layers.norm(last, "last.norm"));
    }
  }

  static List<Backbone> trunks() {
    return List.of(new Vgg("vgg", 4), new Tangled(false), new Tangled(true), new Forked());
  }

  @ParameterizedTest
  @MethodSource("trunks")
  void encoderAndBothExportsAgree(Backbone backbone) {
    SwavWeights weights = used(backbone, DataType.DOUBLE);
    INDArray images = TrainedWeights.images(2, DataType.DOUBLE, 2, 3, 14, 11);
    INDArray expected =
        Dl4jExport.sameDiff(weights).outputSingle(Map.of("images", images), "features");
    assertThat(expected.shape()).containsExactly(2, weights.features());
    assertThat(difference(Dl4jExport.computationGraph(weights).outputSingle(images), expected))
        .isLessThan(1e-9);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights, new Nd4jEngine())) {
      assertThat(difference(encoder.features(images), expected)).isLessThan(1e-9);
    }
    SwavWeights floats = used(backbone, DataType.FLOAT);
    Engine engine = Engines.of("onednn", Precision.FLOAT);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(floats, engine)) {
      INDArray features = encoder.features(images.castTo(DataType.FLOAT));
      assertThat(difference(features.castTo(DataType.DOUBLE), expected)).isLessThan(1e-4);
    }
  }

  @Test
  void normsRectifiersAndSumsGoIntoConvolutions() {
    try (FoldedNetwork network =
        new FoldedNetwork(used(new Vgg("vgg", 4), DataType.FLOAT), false)) {
      List<Op> ops = network.plan(1, 16, 16).plan().forward();
      assertThat(ops.subList(0, 4))
          .extracting(Op::type)
          .containsExactly(OpType.CONV2D, OpType.MAX_POOL, OpType.CONV2D, OpType.GLOBAL_MEAN);
      assertThat(ops.get(0).arguments().relu()).isTrue();
    }
  }

  @Test
  void weightsAreSavedUnderTheBackbonesNameAndLoadedWithIt() throws IOException {
    Backbone vgg = new Vgg("vgg", 4);
    SwavWeights weights =
        used(vgg, DataType.FLOAT).withNormalisation(List.of(0.5, 0.4, 0.3), List.of(0.2, 0.2, 0.2));
    Path file = folder.resolve("vgg.safetensors");
    weights.save(file);
    SwavWeights loaded = SwavWeights.load(file, vgg);
    weights.parameters().forEach((n, a) -> assertExact(n, loaded.parameters().get(n), a));
    weights.statistics().forEach((n, a) -> assertExact(n, loaded.statistics().get(n), a));
    assertThat(loaded.config()).isEqualTo(AROUND);
    assertThat(loaded.mean()).containsExactly(0.5, 0.4, 0.3);
    assertThatThrownBy(() -> SwavWeights.load(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the backbone 'vgg', which is not built in")
        .hasMessageContaining("SwavWeights.load(file, backbone)");
    assertThatThrownBy(() -> SwavWeights.load(file, new Vgg("other", 4)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("backbone vgg, expected other");
    assertThatThrownBy(() -> SwavWeights.load(file, new Vgg("vgg", 5)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("conv1.weight is [4, 3, 3, 3], expected [5, 3, 3, 3]");
    assertThatThrownBy(
            () ->
                SwavWeights.load(
                    file, new SwavConfig(Architecture.RESNET20, 1, Stem.SMALL, 3, 12, 8, 5, 0.1)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not built in");
  }

  /** Two convolutions of that many channels, and perhaps no mean. */
  record Broken(String name, String second, int in, boolean mean) implements Backbone {
    @Override
    public <T> T features(T images, Layers<T> layers) {
      T x = layers.convolution(images, Convolution.of("conv", 3, 4, 3, 1));
      x = layers.convolution(x, Convolution.of(second, in, 4, 3, 1));
      return mean ? layers.mean(x) : x;
    }
  }

  @Test
  void layersThatDoNotFitAreRefusedByName() {
    assertRefused(new Broken("own", "conv2", 8, true), "layer conv2 is given 4 channels of conv");
    assertRefused(new Broken("own", "conv", 4, true), "the name conv is taken");
    assertRefused(new Broken("own", "features", 4, true), "the name features is taken");
    assertRefused(new Broken("own", "conv2", 4, false), "ends with 4 channels of conv2");
    assertRefused(new Broken("resnet18", "conv2", 4, true), "which is a built-in architecture's");
    SwavConfig resnet = new SwavConfig(Architecture.RESNET20, 1, Stem.SMALL, 3, 12, 8, 5, 0.1);
    assertThatThrownBy(() -> SwavWeights.initialise(new Vgg("vgg", 4), resnet, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("comes with a configuration for resnet20");
    assertThatThrownBy(() -> SwavWeights.initialise(AROUND, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("names no architecture");
  }

  private static void assertRefused(Backbone backbone, String message) {
    assertThatThrownBy(() -> SwavWeights.initialise(backbone, AROUND, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  /** A convolution of that window and no more. */
  record Lone(String name, Backbone.Window window) implements Backbone {
    @Override
    public <T> T features(T images, Layers<T> layers) {
      return layers.mean(layers.convolution(images, new Convolution("conv", 3, 4, window, false)));
    }
  }

  @Test
  void aConvolutionIsNotPaddedUnevenly() {
    assertRefused(
        new Lone("own", new Backbone.Window(3, 2, Backbone.Window.SAME)),
        "layer conv is given 3 channels of images, expected a padding in pixels: SAME is for");
  }

  @Test
  void imagesTooSmallForTheTrunkAreRefused() {
    SwavWeights weights = used(new Vgg("vgg", 4), DataType.FLOAT);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights)) {
      assertThatThrownBy(() -> encoder.features(Nd4j.zeros(DataType.FLOAT, 1, 3, 5, 5)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("conv2")
          .hasMessageContaining("too small");
    }
  }
}
