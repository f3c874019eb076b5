package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.swav4j.model.ArrayAssert.assertExact;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.torch.TorchFile;

/**
 * Files of PyTorch's are made by {@code torch/make_fixtures.py}; hostile ones are put together
 * here.
 */
class WeightsImportTest {
  @TempDir private Path folder;

  private static Path fixture(String name) {
    try {
      return Path.of(WeightsImportTest.class.getResource("/torch/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static SwavConfig config(Architecture architecture, int prototypes) {
    return new SwavConfig(architecture, 0.125, Stem.SMALL, 3, 12, 8, prototypes, 0.1);
  }

  @Test
  void thePublishedNamesGivePyTorchsFeaturesAndEmbeddings() throws IOException {
    TorchFixture torch = TorchFixture.of("resnet50-small");
    SwavWeights weights =
        SwavWeights.initialise(torch.weights().config(), 1)
            .withNormalisation(torch.weights().mean(), torch.weights().deviation());
    WeightsImport read = WeightsImport.whole(fixture("resnet50-small.pth"), weights);
    assertThat(read.missing()).isEmpty();
    assertThat(read.ignored()).hasSize(54).allMatch(n -> n.endsWith("num_batches_tracked"));
    assertThat(read.summary())
        .contains("274 tensors", "trunk, projection head, prototypes", "num_batches_tracked (54)");
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      assertThat(encoder.features(torch.images()).castTo(DataType.DOUBLE).sub(torch.features()))
          .satisfies(d -> assertThat(d.amaxNumber().doubleValue()).isLessThan(1e-5));
      assertThat(encoder.embeddings(torch.images()).castTo(DataType.DOUBLE).sub(torch.embeddings()))
          .satisfies(d -> assertThat(d.amaxNumber().doubleValue()).isLessThan(1e-5));
    }
  }

  @Test
  void halfPrecisionViewsOfTheOlderFormatAreTheSameNumbersRounded() throws IOException {
    SwavWeights expected = TorchFixture.of("resnet20-small").weights();
    SwavWeights weights = SwavWeights.initialise(expected.config(), 1);
    WeightsImport read = WeightsImport.whole(fixture("resnet20-small.pth.tar"), weights);
    assertThat(read.missing()).isEmpty();
    Map<String, INDArray> all = new LinkedHashMap<>(expected.parameters());
    all.putAll(expected.statistics());
    all.forEach(
        (name, array) -> {
          // 11 significant bits; below 2^-14 steps of 2^-24
          INDArray off = weights.array(name).sub(array);
          assertThat(off.amaxNumber().doubleValue())
              .as(name)
              .isLessThanOrEqualTo(array.amaxNumber().doubleValue() / 2048 + 1e-7);
        });
  }

  @Test
  void theTrunkAloneLeavesHeadAndPrototypes() throws IOException {
    SwavConfig config = config(Architecture.RESNET18, 5);
    SwavWeights trained = TrainedWeights.of(config, 3, DataType.FLOAT);
    Path run = Files.createDirectory(folder.resolve("run"));
    trained.save(run.resolve("weights.safetensors"));
    SwavWeights other = SwavWeights.initialise(config(Architecture.RESNET18, 7), 1);
    SwavWeights untouched = other.copy();
    assertThatThrownBy(() -> WeightsImport.whole(run, other))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("prototypes.weight is [5, 8], expected [7, 8]")
        .hasMessageContaining("`initPartial`");
    WeightsImport read = WeightsImport.trunk(run, other);
    assertThat(read.ignored()).hasSize(9).contains("prototypes.weight", "projection_head.0.bias");
    other
        .parameters()
        .forEach(
            (name, array) ->
                assertExact(
                    name,
                    array,
                    (ParameterShapes.ofTrunk(name) ? trained : untouched).parameters().get(name)));
  }

  @Test
  void everyTensorOfAnotherArchitectureIsNamedWithBothShapes() throws IOException {
    Path file = folder.resolve("w.safetensors");
    SwavWeights.initialise(config(Architecture.RESNET18, 5), 1).save(file);
    SwavWeights wider =
        SwavWeights.initialise(
            new SwavConfig(Architecture.RESNET18, 0.25, Stem.SMALL, 3, 12, 8, 5, 0.1), 1);
    long trunk =
        wider.parameters().keySet().stream().filter(ParameterShapes::ofTrunk).count()
            + wider.statistics().keySet().stream().filter(ParameterShapes::ofTrunk).count();
    assertThatThrownBy(() -> WeightsImport.whole(file, wider))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("conv1.weight is [8, 3, 3, 3], expected [16, 3, 3, 3]")
        .hasMessageContaining("layer4.1.bn2.running_var is [64], expected [128]")
        .hasMessageContaining("width 0.125, expected 0.25")
        .satisfies(
            e ->
                assertThat(e.getMessage().split(" is \\[").length - 1L)
                    .as("with the head's first layer")
                    .isEqualTo(trunk + 1))
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  @Test
  void aDeeperTrunkIsNoShallowOne() throws IOException {
    Path file = folder.resolve("w.safetensors");
    SwavWeights.initialise(config(Architecture.RESNET34, 5), 1).save(file);
    SwavWeights shallow = SwavWeights.initialise(config(Architecture.RESNET18, 5), 1);
    assertThatThrownBy(() -> WeightsImport.whole(file, shallow))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("layer1.2.conv1.weight has no place")
        .hasMessageContaining("architecture resnet34, expected resnet18");
  }

  /** Tensors of other types beside those needed, behind a prefix. */
  @ParameterizedTest
  @ValueSource(strings = {"", "module.", "state_dict.encoder."})
  void safetensorsAreFoundBehindAnyPrefixBesideAnything(String prefix) throws IOException {
    SwavWeights trained = TrainedWeights.of(config(Architecture.RESNET20, 5), 3, DataType.FLOAT);
    Path ours = folder.resolve("w.safetensors");
    trained.save(ours);
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    SafeTensors.read(ours).tensors().forEach((n, a) -> tensors.put(prefix + n, a));
    Path file = folder.resolve("prefixed.safetensors");
    SafeTensors.write(file, tensors, Map.of());
    SafeTensorsTest.append(file, "mask", "BOOL", 5);
    SafeTensorsTest.append(file, "bytes", "U8", 3);
    SafeTensorsTest.append(file, "eighth", "F8_E4M3", 7);
    SwavWeights read = SwavWeights.initialise(trained.config(), 1);
    assertThat(WeightsImport.whole(file, read).ignored())
        .containsExactlyInAnyOrder("mask", "bytes", "eighth");
    trained.parameters().forEach((n, a) -> assertExact(n, read.parameters().get(n), a));
    trained.statistics().forEach((n, a) -> assertExact(n, read.statistics().get(n), a));
    SwavWeights loaded = SwavWeights.loadTrunk(file, trained.config(), 1);
    assertExact("conv1", loaded.array("conv1.weight"), trained.array("conv1.weight"));
  }

  @Test
  void twoNetworksInOneFileAreRefused() throws IOException {
    SwavWeights weights = SwavWeights.initialise(config(Architecture.RESNET20, 5), 1);
    Path ours = folder.resolve("w.safetensors");
    weights.save(ours);
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    SafeTensors.read(ours)
        .tensors()
        .forEach((n, a) -> List.of("q.", "k.").forEach(p -> tensors.put(p + n, a)));
    SafeTensors.write(ours, tensors, Map.of());
    assertThatThrownBy(() -> WeightsImport.whole(ours, weights))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("several networks, under q. and k.");
  }

  @Test
  void whatIsNoStateDictSaysWhatItIs() throws IOException {
    SwavWeights weights = SwavWeights.initialise(config(Architecture.RESNET20, 5), 1);
    Path empty = Files.createDirectory(folder.resolve("empty"));
    assertThatThrownBy(() -> WeightsImport.whole(empty, weights))
        .hasMessageContaining("a folder without weights.safetensors");
    Path gzip = Files.write(folder.resolve("w.gz"), new byte[] {0x1f, (byte) 0x8b, 8, 0});
    assertThatThrownBy(() -> WeightsImport.whole(gzip, weights)).hasMessageContaining("gzip");
    assertThatThrownBy(() -> WeightsImport.whole(folder.resolve("none"), weights))
        .hasMessageContaining("there is no file");
    Path others = folder.resolve("others.safetensors");
    SafeTensors.write(others, Map.of("encoder.0.w", Nd4j.zeros(3)), Map.of());
    assertThatThrownBy(() -> WeightsImport.whole(others, weights))
        .hasMessageContaining(
            "names are such as encoder.0.w, expected torchvision's such as conv1");
    Path checkpoint = folder.resolve("checkpoint.safetensors");
    SafeTensors.write(
        checkpoint,
        Map.of("x", Nd4j.zeros(1)),
        Map.of("kind", "swav4j checkpoint", "version", "1"));
    weights.save(folder.resolve("weights.safetensors"));
    assertThatThrownBy(() -> WeightsImport.whole(checkpoint, weights))
        .hasMessageContaining("is a checkpoint")
        .hasMessageContaining("weights.safetensors beside it");
    assertThatThrownBy(() -> SwavWeights.load(checkpoint))
        .hasMessageContaining("is a checkpoint")
        .hasMessageContaining("weights.safetensors beside it");
  }

  // ---- hostile files

  private static final byte[] PROTOCOL = {(byte) 0x80, 2};

  private static byte[] pickle(String instructions) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(PROTOCOL);
    bytes.writeBytes(instructions.getBytes(StandardCharsets.ISO_8859_1));
    return bytes.toByteArray();
  }

  private Path zip(byte[] pickle, Map<String, Integer> storages) throws IOException {
    Path file = folder.resolve("made.pth");
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("archive/data.pkl"));
      zip.write(pickle);
      for (Map.Entry<String, Integer> storage : storages.entrySet()) {
        zip.putNextEntry(new ZipEntry("archive/data/" + storage.getKey()));
        byte[] zeros = new byte[1 << 16];
        for (int left = storage.getValue(); left > 0; left -= zeros.length) {
          zip.write(zeros, 0, Math.min(left, zeros.length));
        }
      }
    }
    return file;
  }

  private void assertRefused(Path file, String message) {
    SwavWeights weights = SwavWeights.initialise(config(Architecture.RESNET20, 5), 1);
    assertThatThrownBy(() -> WeightsImport.whole(file, weights))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file.getFileName().toString())
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  private static Stream<Arguments> programs() {
    return Stream.of(
        Arguments.of("cos\nsystem\nX\6\0\0\0id > x\u0085R.", "it holds os.system"),
        Arguments.of("\u008c\2os\u008c\6system\u0093\u008c\2id\u0085R.", "it holds os.system"),
        Arguments.of("cbuiltins\neval\nX\1\0\0\0001\u0085R.", "it holds builtins.eval"),
        Arguments.of("}X\4\0\0\0argscargparse\nNamespace\n)\u0081s.", "argparse.Namespace"),
        Arguments.of("}X\1\0\0\0acnumpy.core.multiarray\nscalar\n)Rs.", "numpy.core.multiarray"),
        Arguments.of("ctorch\nload\nX\1\0\0\0a\u0085R.", "it holds torch.load"),
        Arguments.of("X\1\0\0\0aX\1\0\0\0b\u0086.", "holds none of the trunk's tensors"),
        Arguments.of("ios\nsystem\n.", "the instruction 0x69"),
        Arguments.of("X\1\0\0\0a}b.", "attributes of what is no dictionary"),
        Arguments.of("}]K\1s.", "a key that is neither"),
        Arguments.of("R.", "damaged"),
        Arguments.of("h\7.", "damaged"));
  }

  @ParameterizedTest
  @MethodSource("programs")
  void anythingButTensorsIsRefusedByName(String instructions, String message) throws IOException {
    assertRefused(zip(pickle(instructions), Map.of()), message);
  }

  @Test
  void containersWithoutEndAreRefused() throws IOException {
    assertRefused(zip(pickle("}q\0X\1\0\0\0ah\0s."), Map.of()), "nested without end");
    // 30 dictionaries, each of which holds the one before ten times
    StringBuilder bomb = new StringBuilder("}q\0");
    for (int i = 1; i <= 30; i++) {
      bomb.append('}').append('q').append((char) i);
      for (char key = 'a'; key < 'k'; key++) {
        bomb.append("X\1\0\0\0").append(key).append('h').append((char) (i - 1)).append('s');
      }
    }
    long start = System.nanoTime();
    assertRefused(zip(pickle(bomb + "."), Map.of()), "nested without end");
    assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
  }

  /** {@code {NAME: tensor of shape (1000, 1000) over storage 0}}. */
  private static byte[] tensor(String name, int rows) {
    return pickle(
        "}X"
            + (char) name.length()
            + "\0\0\0"
            + name
            + "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\n"
            + "X\1\0\0\0000X\3\0\0\0cpuJ\100\102\17\0tQK\0M\u00e8\3"
            + "M"
            + (char) (rows & 255)
            + (char) (rows >> 8)
            + "\u0086M\u00e8\3K\1\u0086\u0089NtRs.");
  }

  @Test
  void whatUnpacksToMuchMoreIsRefused() throws IOException {
    assertRefused(zip(new byte[(64 << 20) + 1], Map.of()), "more than 64 MiB");
    try (TorchFile file = TorchFile.open(zip(tensor("x", 1000), Map.of("0", 4_000_000)))) {
      assertThatThrownBy(() -> file.tensors().get("x").read())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("unpacks to more than 200 times");
    }
  }

  @Test
  void tensorsLieWithinTheirStorages() throws IOException {
    Path outside = zip(tensor("x", 1001), Map.of("0", 4_000_000));
    assertRefused(outside, "[1000, 1001] doesn't lie within its storage of 1000000 numbers");
    try (TorchFile file = TorchFile.open(zip(tensor("x", 1000), Map.of("0", 3_999_996)))) {
      assertThatThrownBy(() -> file.tensors().get("x").read())
          .hasMessageContaining("3999996 bytes, expected 4000000");
    }
    try (TorchFile file = TorchFile.open(zip(tensor("x", 1000), Map.of()))) {
      assertThatThrownBy(() -> file.tensors().get("x").read())
          .hasMessageContaining("storage 0 is missing");
    }
  }

  @Test
  void aFileCutAnywhereIsRefused() throws IOException {
    for (String name : List.of("resnet20-small.pth.tar", "resnet50-small.pth")) {
      byte[] all = Files.readAllBytes(fixture(name));
      Path cut = folder.resolve(name);
      for (int i = 1; i < 40; i++) {
        Files.write(cut, Arrays.copyOf(all, (int) ((long) all.length * i / 40)));
        assertRefused(cut, "is cut off");
      }
    }
  }

  @Test
  void anyDamageIsRefusedOrHarmless() throws IOException {
    Random random = new Random(1);
    SwavWeights weights =
        SwavWeights.initialise(TorchFixture.of("resnet20-small").weights().config(), 1);
    byte[] all = Files.readAllBytes(fixture("resnet20-small.pth.tar"));
    Path file = folder.resolve("damaged.pth");
    int refused = 0;
    for (int i = 0; i < 1500; i++) {
      byte[] damaged = all.clone();
      // the pickles are at the start
      damaged[random.nextInt(9000)] = (byte) random.nextInt(256);
      Files.write(file, damaged);
      try {
        WeightsImport.whole(file, weights);
      } catch (IOException e) {
        refused++;
        assertThat(e.getMessage().lines()).hasSize(1);
      }
    }
    assertThat(refused).isGreaterThan(300);
  }
}
