package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.swav4j.model.ArrayAssert.assertExact;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SafeTensorsTest {
  @TempDir private Path folder;

  /** A file put together by hand. */
  private Path file(String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json).put(data);
    return Files.write(folder.resolve("made.safetensors"), bytes.array());
  }

  /** Adds a tensor of one byte a number to a file. */
  static void append(Path file, String name, String dtype, int n) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] json = new byte[(int) bytes.getLong()];
    bytes.get(json);
    int data = bytes.remaining();
    String header = new String(json, StandardCharsets.UTF_8).strip();
    byte[] longer =
        (header.substring(0, header.length() - 1)
                + String.format(
                    Locale.ROOT,
                    ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}",
                    name,
                    dtype,
                    n,
                    data,
                    data + n))
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer whole =
        ByteBuffer.allocate(8 + longer.length + data + n).order(ByteOrder.LITTLE_ENDIAN);
    whole.putLong(longer.length).put(longer).put(bytes);
    Files.write(file, whole.array());
  }

  private static byte[] little(int... values) {
    ByteBuffer b = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(v -> b.putShort((short) v));
    return b.array();
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    tensors.put("z", Nd4j.rand(DataType.FLOAT, 3, 4, 5));
    tensors.put("a.double", Nd4j.rand(DataType.DOUBLE, 7));
    tensors.put("transposed", Nd4j.rand(DataType.FLOAT, 6, 2).transpose());
    tensors.put("scalar", Nd4j.scalar(42L));
    tensors.put("long", Nd4j.createFromArray(1L << 40, -3L));
    tensors.put("int", Nd4j.createFromArray(5, -6));
    tensors.put("large", Nd4j.rand(DataType.FLOAT, 700, 1000)); // more than one chunk
    Map<String, String> metadata = Map.of("quote", "\"<ä>\"", "format", "pt");
    Path file = folder.resolve("a.safetensors");
    SafeTensors.write(file, tensors, metadata);
    SafeTensors read = SafeTensors.read(file);
    assertThat(read.metadata()).isEqualTo(metadata);
    assertThat(read.tensors().keySet()).containsExactlyElementsOf(tensors.keySet());
    tensors.forEach((name, array) -> assertExact(name, read.tensors().get(name), array));
    try (var files = Files.list(folder)) {
      assertThat(files).as("nothing else is left").containsExactly(file);
    }
  }

  @Test
  void bytesAreThoseOfTheFormat() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafeTensors.write(file, Map.of("x", Nd4j.createFromArray(1f, -2f).reshape(1, 2)), Map.of());
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) bytes.getLong();
    byte[] json = new byte[header];
    bytes.get(json);
    assertThat(header % 8).isZero();
    assertThat(new String(json, StandardCharsets.UTF_8).strip())
        .isEqualTo("{\"x\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}");
    assertThat(bytes.getFloat()).isEqualTo(1f);
    assertThat(bytes.getFloat()).isEqualTo(-2f);
    assertThat(bytes.hasRemaining()).isFalse();
  }

  @Test
  void halfPrecisionBecomesFloatExactly() throws IOException {
    Path file =
        file(
            "{\"h\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[8,14]}}",
            little(0x3C00, 0xC000, 0x3555, 0x0001, 0x3F80, 0xC020, 0x7F7F));
    Map<String, INDArray> read = SafeTensors.read(file).tensors();
    // 0x3555 is 1365 / 4096, 0x0001 the least subnormal 2^-24
    assertThat(read.get("h").toFloatVector())
        .containsExactly(1f, -2f, 1365f / 4096, (float) Math.pow(2, -24));
    assertThat(read.get("b").toFloatVector())
        .containsExactly(1f, -2.5f, Float.intBitsToFloat(0x7F7F0000));
  }

  @Test
  void tensorsOfOtherTypesAreNamedAndTheRestIsRead() throws IOException {
    Path file =
        file(
            "{'mask':{'dtype':'BOOL','shape':[3],'data_offsets':[0,3]},".replace('\'', '"')
                + "\"x\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[3,7]},"
                + "\"f4\":{\"dtype\":\"F4\",\"shape\":[3,2],\"data_offsets\":[7,10]}}",
            new byte[] {1, 0, 1, (byte) 0x80, 0x3F, 0x20, (byte) 0xC0, 0, 0, 0});
    SafeTensors read = SafeTensors.read(file);
    assertThat(read.tensors().keySet()).containsExactly("x");
    assertThat(read.tensors().get("x").toFloatVector()).containsExactly(1f, -2.5f);
    assertThat(read.unread()).isEqualTo(Map.of("mask", "BOOL", "f4", "F4"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}}|expected 0 to 8",
        "{'x':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}}|expected 0 to 12",
        "{'x':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},"
            + "'y':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}|expected 4 to 12",
        "{'x':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|expected 68: something was appended",
        "{'x':{'dtype':'F9','shape':[8],'data_offsets':[0,8]}}|'x' has dtype F9, expected one of",
        "{'x':{'dtype':'F8_E4M3','shape':[7],'data_offsets':[0,8]}}|expected 0 to 7",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},"
            + "'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}|the key 'x' is given twice",
        "{'x':{'dtype':'F32','dtype':'I32','shape':[2],'data_offsets':[0,8]}}|'dtype' is given twice",
        "{'__metadata__':{'a':'1','a':'2'},'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}|'a' is",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} {}|damaged safetensors header",
        "{'x':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}}|sizes of at least 0",
        "{'x':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,0]}}|damaged",
        "{'x':{'dtype':'F32','data_offsets':[0,8]}}|damaged safetensors header at 'x'",
        "{'x':17}|damaged safetensors header at 'x'",
        "{'x':|damaged safetensors header",
        "[1, 2]|damaged safetensors header",
      })
  void contradictoryHeadersAreRefused(String header, String message) throws IOException {
    String padded = header.replace('\'', '"');
    Path file = file(padded + " ".repeat(Math.max(0, 56 - padded.length())), new byte[8]);
    assertThatThrownBy(() -> SafeTensors.read(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("made.safetensors")
        .hasMessageContaining(message)
        .extracting(e -> e.getMessage().lines().count())
        .isEqualTo(1L);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{\"x\":["})
  void aHeaderNestedWithoutEndIsRefusedInAFewWords(String opening) throws IOException {
    String brackets = opening + "[".repeat(200_000);
    for (String header : List.of(brackets, brackets + "]".repeat(200_001))) {
      String whole = header + (opening.startsWith("{") ? "}" : "");
      Path file = file(whole, new byte[8]);
      assertThatThrownBy(() -> SafeTensors.read(file))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("damaged safetensors header")
          .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(500));
    }
  }

  @Test
  void aFileCutAnywhereIsRefusedWithBothLengths() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafeTensors.write(file, Map.of("x", Nd4j.rand(DataType.FLOAT, 100)), Map.of());
    byte[] all = Files.readAllBytes(file);
    for (int length : new int[] {20, all.length / 2, all.length - 1}) {
      Files.write(file, Arrays.copyOf(all, length));
      assertThatThrownBy(() -> SafeTensors.read(file))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("is cut off: it has " + length + " bytes, its header asks for");
    }
    Files.write(file, Arrays.copyOf(all, 5));
    assertThatThrownBy(() -> SafeTensors.read(file)).hasMessageContaining("not a safetensors file");
  }

  @Test
  void anyDamageToTheHeaderIsRefusedOrHarmless() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafeTensors.write(file, Map.of("x", Nd4j.rand(DataType.FLOAT, 10)), Map.of("k", "v"));
    byte[] all = Files.readAllBytes(file);
    Random random = new Random(1);
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
      byte[] damaged = all.clone();
      damaged[random.nextInt(all.length - 40)] = (byte) random.nextInt(256);
      Files.write(file, damaged);
      try {
        SafeTensors.read(file);
      } catch (IOException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(1000);
  }

  @Test
  void aPickleIsRefusedWithAWayOut() throws IOException {
    Path file = Files.write(folder.resolve("resnet.pth"), "PK\3\4 this is a zip".getBytes("UTF-8"));
    assertThatThrownBy(() -> SafeTensors.read(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("expected such a file, or for `init` one of PyTorch's");
  }

  @Test
  void aFailedWriteLeavesTheOldFile() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafeTensors.write(file, Map.of("x", Nd4j.createFromArray(1f)), Map.of());
    byte[] before = Files.readAllBytes(file);
    // stands in for a full disk: the new file can't be written beside the old one
    Files.createDirectories(folder.resolve("a.safetensors.part/x"));
    assertThatThrownBy(
            () -> SafeTensors.write(file, Map.of("x", Nd4j.createFromArray(2f)), Map.of()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The file that was there is unchanged");
    assertThat(file).hasBinaryContent(before);
  }

  @Test
  void placesThatCannotHoldAFileAreNamed() {
    Map<String, INDArray> one = Map.of("x", Nd4j.createFromArray(2f));
    assertThatThrownBy(() -> SafeTensors.write(folder.resolve("no/where"), one, Map.of()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("there is no folder");
    assertThatThrownBy(() -> SafeTensors.write(folder, one, Map.of()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("it is a folder");
    assertThatThrownBy(() -> SafeTensors.read(folder.resolve("absent")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("there is no file");
  }

  @Test
  void aTypeWithoutAnEncodingIsRefusedByName() {
    Path file = folder.resolve("a");
    Map<String, INDArray> tensors = Map.of("mask", Nd4j.createFromArray(true, false));
    assertThatThrownBy(() -> SafeTensors.write(file, tensors, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'mask' is BOOL");
    assertThat(file).doesNotExist();
  }
}
