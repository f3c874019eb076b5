package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.swav4j.model.ArrayAssert.assertExact;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class WeightsFileTest {
  @TempDir private Path folder;

  private static SwavConfig config(Architecture architecture) {
    return new SwavConfig(architecture, 0.125, Stem.SMALL, 3, 12, 8, 5, 0.1);
  }

  /** Statistics and batch norms that are not those of an untrained network. */
  private static SwavWeights trained(SwavConfig config, DataType type) {
    SwavWeights weights = SwavWeights.initialise(config, 7, type);
    weights.parameters().forEach((n, a) -> a.addi(Nd4j.rand(type, a.shape()).muli(0.1)));
    weights.statistics().forEach((n, a) -> a.addi(Nd4j.rand(type, a.shape())));
    return weights;
  }

  private static void assertSame(Map<String, INDArray> actual, Map<String, INDArray> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    expected.forEach((name, array) -> assertExact(name, actual.get(name), array));
    actual.forEach(
        (name, array) -> {
          assertThat(array.ordering()).isEqualTo('c');
          assertThat(array.isView()).isFalse();
        });
  }

  @ParameterizedTest
  @EnumSource
  void everythingSavedIsLoaded(Architecture architecture) throws IOException {
    SwavWeights weights =
        trained(config(architecture), DataType.FLOAT)
            .withNormalisation(List.of(0.1, 0.2, 1.0 / 3), List.of(0.3, 0.2, 0.1));
    Path file = folder.resolve("w.safetensors");
    weights.save(file);
    SwavWeights read = SwavWeights.load(file);
    assertThat(read.config()).isEqualTo(weights.config());
    assertThat(read.mean()).isEqualTo(weights.mean());
    assertThat(read.deviation()).isEqualTo(weights.deviation());
    assertSame(read.parameters(), weights.parameters());
    assertSame(read.statistics(), weights.statistics());
  }

  @Test
  void doubleStaysDouble() throws IOException {
    SwavWeights weights = trained(config(Architecture.RESNET20), DataType.DOUBLE);
    Path file = folder.resolve("w.safetensors");
    weights.save(file);
    SwavWeights read = SwavWeights.load(file);
    assertThat(read.type()).isEqualTo(DataType.DOUBLE);
    assertThat(read.mean()).isEmpty();
    assertSame(read.parameters(), weights.parameters());
  }

  @Test
  void convolutionsAreOutInHeightWidthInTheFile() throws IOException {
    SwavWeights weights = trained(config(Architecture.RESNET20), DataType.FLOAT);
    Path file = folder.resolve("w.safetensors");
    weights.save(file);
    INDArray stored = SafeTensors.read(file).tensors().get("layer2.0.conv1.weight");
    INDArray held = weights.parameters().get("layer2.0.conv1.weight");
    assertThat(stored.shape()).containsExactly(4, 2, 3, 3);
    assertThat(held.shape()).containsExactly(3, 3, 2, 4);
    assertThat(stored.getFloat(3, 1, 0, 2)).isEqualTo(held.getFloat(0, 2, 1, 3));
  }

  /** A file as PyTorch writes it: the trunk, a classifier, counters; nothing about swav4j. */
  private Path torchvisionLike(SwavWeights weights, String... without) throws IOException {
    Path file = folder.resolve("w.safetensors");
    weights.save(file);
    Map<String, INDArray> tensors = new LinkedHashMap<>(SafeTensors.read(file).tensors());
    tensors.keySet().removeIf(name -> !ParameterShapes.ofTrunk(name));
    tensors.keySet().removeAll(Arrays.asList(without));
    tensors.put("fc.weight", Nd4j.zeros(DataType.FLOAT, 10, weights.config().features()));
    tensors.put("bn1.num_batches_tracked", Nd4j.scalar(5L));
    Path torch = folder.resolve("resnet.safetensors");
    SafeTensors.write(torch, tensors, Map.of());
    return torch;
  }

  @Test
  void aTorchvisionTrunkIsTakenAndTheHeadIsUntrained() throws IOException {
    SwavWeights weights = trained(config(Architecture.RESNET18), DataType.FLOAT);
    SwavWeights read = SwavWeights.loadTrunk(torchvisionLike(weights), weights.config(), 3);
    SwavWeights untrained = SwavWeights.initialise(weights.config(), 3);
    read.parameters()
        .forEach(
            (name, array) -> {
              SwavWeights from = ParameterShapes.ofTrunk(name) ? weights : untrained;
              assertExact(name, array, from.parameters().get(name));
            });
    read.statistics()
        .forEach(
            (name, array) -> {
              SwavWeights from = ParameterShapes.ofTrunk(name) ? weights : untrained;
              assertExact(name, array, from.statistics().get(name));
            });
  }

  @Test
  void aTrunkWithMissingOrWrongTensorsIsRefusedByName() throws IOException {
    SwavWeights weights = trained(config(Architecture.RESNET18), DataType.FLOAT);
    Path file = torchvisionLike(weights, "layer3.0.conv1.weight", "bn1.running_var");
    assertThatThrownBy(() -> SwavWeights.loadTrunk(file, weights.config(), 1))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("layer3.0.conv1.weight is missing")
        .hasMessageContaining("bn1.running_var is missing");
    Path whole = torchvisionLike(weights);
    SwavConfig photographs =
        new SwavConfig(Architecture.RESNET18, 0.125, Stem.IMAGENET, 3, 12, 8, 5, 0.1);
    assertThatThrownBy(() -> SwavWeights.loadTrunk(whole, photographs, 1))
        .hasMessageContaining("conv1.weight is [8, 3, 3, 3], expected [8, 3, 7, 7]");
    SwavConfig deeper = config(Architecture.RESNET34);
    assertThatThrownBy(() -> SwavWeights.loadTrunk(whole, deeper, 1))
        .hasMessageContaining("layer1.2.conv1.weight is missing")
        .hasMessageContaining("more")
        .extracting(e -> e.getMessage().lines().count())
        .isEqualTo(1L);
  }

  @Test
  void anotherNetworkIsRefusedByNameAndValue() throws IOException {
    Path file = folder.resolve("w.safetensors");
    trained(config(Architecture.RESNET18), DataType.FLOAT).save(file);
    assertThatThrownBy(() -> SwavWeights.load(file, config(Architecture.RESNET34)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("architecture resnet18, expected resnet34");
    assertThatThrownBy(() -> SwavWeights.loadTrunk(file, config(Architecture.RESNET20), 1))
        .hasMessageContaining("architecture resnet18, expected resnet20");
    SwavConfig morePrototypes =
        new SwavConfig(Architecture.RESNET18, 0.125, Stem.SMALL, 3, 12, 8, 6, 0.1);
    assertThatThrownBy(() -> SwavWeights.load(file, morePrototypes))
        .hasMessageContaining("prototypes 5, expected 6");
    assertThat(SwavWeights.load(file, config(Architecture.RESNET18)).config())
        .isEqualTo(config(Architecture.RESNET18));
  }

  @Test
  void filesThatAreNotOursOrDamagedSayWhatToDo() throws IOException {
    SwavWeights weights = trained(config(Architecture.RESNET20), DataType.FLOAT);
    Path torch = torchvisionLike(weights);
    assertThatThrownBy(() -> SwavWeights.load(torch)).hasMessageContaining("SwavWeights.loadTrunk");
    Path file = folder.resolve("w.safetensors");
    weights.save(file);
    byte[] all = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(all, all.length / 2));
    assertThatThrownBy(() -> SwavWeights.load(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(all.length / 2 + " bytes")
        .hasMessageContaining("asks for " + all.length);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "swav4j_version|2|use a newer release",
        "architecture|vgg|'vgg' is unknown",
        "channels|4|channels is 4",
        "width|wide|'wide' as 'width'",
        "mean|0.5,x,0.5|as 'mean'",
      })
  void unusableMetadataAreNamed(String key, String value, String message) throws IOException {
    Path file = folder.resolve("w.safetensors");
    trained(config(Architecture.RESNET20), DataType.FLOAT).save(file);
    SafeTensors read = SafeTensors.read(file);
    Map<String, String> metadata = new LinkedHashMap<>(read.metadata());
    metadata.put(key, value);
    SafeTensors.write(file, read.tensors(), metadata);
    assertThatThrownBy(() -> SwavWeights.load(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(message);
  }

  /** Written by commit 229238a, before trunks could be of one's own. */
  @Test
  void aFileOfAnEarlierReleaseStillLoads() throws Exception {
    Path file =
        Path.of(WeightsFileTest.class.getResource("/files/weights-229238a.safetensors").toURI());
    SwavConfig config = new SwavConfig(Architecture.RESNET20, 0.0625, Stem.SMALL, 3, 4, 3, 2, 0.1);
    SwavWeights loaded = SwavWeights.load(file, config);
    assertThat(loaded.config()).isEqualTo(config);
    assertThat(loaded.mean()).containsExactly(0.5, 0.4, 0.3);
    assertThat(loaded.deviation()).containsExactly(0.2, 0.25, 0.3);
    SwavWeights fresh = SwavWeights.initialise(config, 7);
    assertThat(loaded.parameters().keySet()).containsExactlyElementsOf(fresh.parameters().keySet());
    fresh.parameters().forEach((n, a) -> assertExact(n, loaded.parameters().get(n), a));
    fresh.statistics().forEach((n, a) -> assertExact(n, loaded.statistics().get(n), a));
  }

  @ParameterizedTest
  @CsvSource({
    "layer2.0.conv1.weight,NaN,holds NaN at index 5",
    "projection_head.3.bias,Infinity,holds Infinity at index 5",
    "layer1.1.bn2.running_mean,-Infinity,holds -Infinity at index 1",
    "projection_head.1.running_var,-0.5,holds -0.5 at index 5",
    "conv1.weight,NaN,holds NaN at index 5",
  })
  void whatCannotBeUsedIsRefusedByNameOnLoadAndBeforeASave(String name, float value, String message)
      throws IOException {
    SwavConfig config = config(Architecture.RESNET20);
    SwavWeights weights = trained(config, DataType.FLOAT);
    Path file = folder.resolve("w.safetensors");
    weights.save(file);
    byte[] good = Files.readAllBytes(file);
    Map<String, INDArray> tensors = new LinkedHashMap<>(SafeTensors.read(file).tensors());
    INDArray array = tensors.get(name);
    array.data().put(Math.min(5, array.length() - 1), value);
    Path bad = folder.resolve("bad.safetensors");
    SafeTensors.write(bad, tensors, SafeTensors.read(file).metadata());
    String expected = "tensor '" + name + "' " + message;
    assertThatThrownBy(() -> SwavWeights.load(bad))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("bad.safetensors")
        .hasMessageContaining(expected);
    SwavWeights other = SwavWeights.initialise(config, 1);
    assertThatThrownBy(() -> WeightsImport.whole(bad, other))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(expected);
    INDArray held = weights.array(name);
    held.data().put(Math.min(5, held.length() - 1), value);
    assertThatThrownBy(() -> weights.save(file))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("tensor '" + name + "' holds " + value);
    assertThat(file).hasBinaryContent(good);
  }

  @Test
  void theSizeOfPicturesIsKept() throws IOException {
    SwavWeights weights = trained(config(Architecture.RESNET20), DataType.FLOAT);
    Path file = folder.resolve("w.safetensors");
    weights.save(file);
    assertThat(SwavWeights.load(file).inputSize()).isEmpty();
    weights.withInputSize(new InputSize(256, 224)).save(file);
    assertThat(SwavWeights.load(file).inputSize()).contains(new InputSize(256, 224));
    assertThatThrownBy(() -> new InputSize(20, 24)).hasMessageContaining("24 pixels");
  }
}
