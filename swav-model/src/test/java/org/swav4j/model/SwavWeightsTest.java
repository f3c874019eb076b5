package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.swav4j.model.ArrayAssert.assertExact;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class SwavWeightsTest {
  private static final SwavConfig SMALL =
      new SwavConfig(Architecture.RESNET20, 0.5, Stem.SMALL, 3, 24, 16, 10, 0.1);

  private static SwavConfig resnet50(int channels) {
    return new SwavConfig(Architecture.RESNET50, 1, Stem.IMAGENET, channels, 2048, 128, 3000, 0.1);
  }

  private static ParameterShapes shapes(SwavConfig config) {
    return ParameterShapes.of(ResNet.of(config), config);
  }

  private static long count(ParameterShapes shapes, boolean trunk) {
    return shapes.parameters().entrySet().stream()
        .filter(e -> ParameterShapes.ofTrunk(e.getKey()) == trunk)
        .mapToLong(e -> Arrays.stream(e.getValue()).reduce(1, (a, b) -> a * b))
        .sum();
  }

  @Test
  void resnet50HasThePublishedNumberOfParameters() {
    ParameterShapes shapes = shapes(resnet50(3));
    assertThat(count(shapes, true)).isEqualTo(23_508_032);
    assertThat(count(shapes, false)).isEqualTo(4_462_720 + 384_000);
  }

  @Test
  void doubleWidthResnet50HasThePublishedNumberOfParameters() {
    SwavConfig config =
        new SwavConfig(Architecture.RESNET50, 2, Stem.IMAGENET, 3, 8192, 128, 3000, 0.1);
    assertThat(count(shapes(config), true)).isEqualTo(93_907_072);
  }

  @Test
  void basicTrunksHaveTorchvisionsNumberOfParameters() {
    SwavConfig resnet18 =
        new SwavConfig(Architecture.RESNET18, 1, Stem.IMAGENET, 3, 2048, 128, 300, 0.1);
    SwavConfig resnet34 =
        new SwavConfig(Architecture.RESNET34, 1, Stem.IMAGENET, 3, 2048, 128, 300, 0.1);
    // torchvision's totals less the classifier's 512·1000 + 1000
    assertThat(count(shapes(resnet18), true)).isEqualTo(11_689_512 - 513_000);
    assertThat(count(shapes(resnet34), true)).isEqualTo(21_797_672 - 513_000);
  }

  @Test
  void namesAreTorchvisionsInItsOrder() {
    ParameterShapes shapes =
        shapes(new SwavConfig(Architecture.RESNET18, 1, Stem.SMALL, 1, 512, 128, 300, 0.1));
    assertThat(shapes.parameters().keySet())
        .startsWith(
            "conv1.weight",
            "bn1.weight",
            "bn1.bias",
            "layer1.0.conv1.weight",
            "layer1.0.bn1.weight")
        .containsSubsequence(
            "layer2.0.bn2.bias",
            "layer2.0.downsample.0.weight",
            "layer2.0.downsample.1.weight",
            "layer2.1.conv1.weight")
        .doesNotContain("layer1.0.downsample.0.weight", "layer2.1.downsample.0.weight")
        .endsWith("projection_head.3.weight", "projection_head.3.bias", "prototypes.weight");
    assertThat(shapes.parameters().get("conv1.weight")).containsExactly(3, 3, 1, 64);
    assertThat(shapes.statistics().get("layer4.1.bn2.running_var")).containsExactly(512);
  }

  @Test
  void oneSeedGivesOneNetworkAndAnotherAnother() {
    SwavWeights a = SwavWeights.initialise(SMALL, 1);
    SwavWeights b = SwavWeights.initialise(SMALL, 1);
    SwavWeights c = SwavWeights.initialise(SMALL, 2);
    a.parameters().forEach((name, array) -> assertExact(name, array, b.parameters().get(name)));
    assertThat(a.parameters().get("conv1.weight")).isNotEqualTo(c.parameters().get("conv1.weight"));
    assertThat(a.parameters().get("conv1.weight").getFloat(0))
        .as("recorded: a change of the generator changes every published seed")
        .isEqualTo(0.029953707f);
  }

  @Test
  void floatIsTheRoundingOfDouble() {
    SwavWeights f = SwavWeights.initialise(SMALL, 5);
    SwavWeights d = SwavWeights.initialise(SMALL, 5, DataType.DOUBLE);
    f.parameters()
        .forEach(
            (name, array) ->
                assertExact(name, array, d.parameters().get(name).castTo(DataType.FLOAT)));
  }

  @Test
  void variancesAndBoundsAreThoseOfTheSpecification() {
    SwavConfig wide = new SwavConfig(Architecture.RESNET20, 4, Stem.SMALL, 3, 400, 64, 50, 0.1);
    SwavWeights weights = SwavWeights.initialise(wide, 3, DataType.DOUBLE);
    INDArray conv = weights.parameters().get("layer3.1.conv2.weight"); // 3×3, 256 → 256
    double expected = 2.0 / (9 * 256);
    assertThat(conv.mul(conv).meanNumber().doubleValue())
        .isCloseTo(expected, within(expected / 50));
    assertThat(conv.meanNumber().doubleValue())
        .isCloseTo(0, within(1e-3 * Math.sqrt(expected) * 6));
    double bound = 1 / Math.sqrt(256);
    INDArray linear = weights.parameters().get("projection_head.0.weight");
    INDArray bias = weights.parameters().get("projection_head.0.bias");
    assertThat(linear.amaxNumber().doubleValue()).isBetween(0.99 * bound, bound);
    assertThat(bias.amaxNumber().doubleValue()).isBetween(0.9 * bound, bound);
    assertThat(
            weights
                .parameters()
                .get("prototypes.weight")
                .norm2(1)
                .sub(1)
                .amaxNumber()
                .doubleValue())
        .isLessThan(1e-12);
    assertThat(weights.parameters().get("bn1.weight").minNumber().doubleValue()).isEqualTo(1);
    assertThat(weights.parameters().get("projection_head.1.bias").amaxNumber().doubleValue())
        .isZero();
    assertThat(weights.statistics().get("bn1.running_var").minNumber().doubleValue()).isEqualTo(1);
  }

  @Test
  void aCopyIsIndependentAndNormalisationIsNot() {
    SwavWeights weights = SwavWeights.initialise(SMALL, 1);
    SwavWeights copy = weights.copy();
    SwavWeights normalised =
        weights.withNormalisation(List.of(0.5, 0.4, 0.3), List.of(0.2, 0.2, 0.2));
    weights.parameters().get("bn1.weight").addi(1);
    assertThat(copy.parameters().get("bn1.weight").getFloat(0)).isEqualTo(1f);
    assertThat(normalised.parameters().get("bn1.weight").getFloat(0)).isEqualTo(2f);
    assertThat(weights.mean()).isEmpty();
    assertThat(normalised.mean()).containsExactly(0.5, 0.4, 0.3);
  }

  @Test
  void unusableNormalisationsAndTypesAreRefused() {
    SwavWeights weights = SwavWeights.initialise(SMALL, 1);
    assertThatThrownBy(() -> weights.withNormalisation(List.of(0.5), List.of(0.2)))
        .hasMessageContaining("expected one value for each of 3 channels");
    assertThatThrownBy(
            () -> weights.withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.2, 0.0, 0.2)))
        .hasMessageContaining("[0.2, 0.0, 0.2]");
    assertThatThrownBy(() -> SwavWeights.initialise(SMALL, 1, DataType.BFLOAT16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("BFLOAT16");
  }
}
