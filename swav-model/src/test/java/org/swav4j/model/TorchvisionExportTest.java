package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Nd4jEngine;

class TorchvisionExportTest {
  /** Debian's, whose torchvision is a package of its own. */
  private static final String PYTHON = "/usr/bin/python3";

  /** Loads strictly, runs, and saves the features; safetensors needs no library to be read. */
  private static final String SCRIPT =
      """
      import json, sys
      import numpy, torch, torchvision
      weights, images, out = sys.argv[1:]
      raw = open(weights, "rb").read()
      size = int.from_bytes(raw[:8], "little")
      header, data, state = json.loads(raw[8:8 + size]), raw[8 + size:], {}
      for name, tensor in header.items():
          if name != "__metadata__":
              begin, end = tensor["data_offsets"]
              kind = {"F32": numpy.float32, "I64": numpy.int64}[tensor["dtype"]]
              values = numpy.frombuffer(data[begin:end], kind).reshape(tensor["shape"])
              state[name] = torch.from_numpy(values.copy())
      model = torchvision.models.resnet18()
      model.fc = torch.nn.Identity()
      model.load_state_dict(state, strict=True)
      x = numpy.fromfile(images, ">f4").astype(numpy.float32).reshape(2, 3, 64, 64)
      with torch.no_grad():
          model.eval()(torch.from_numpy(x)).numpy().astype(">f4").tofile(out)
      """;

  @TempDir private Path folder;

  private static SwavWeights resnet18() {
    return TrainedWeights.of(
        new SwavConfig(Architecture.RESNET18, 1, Stem.IMAGENET, 3, 16, 8, 5, 0.1),
        7,
        DataType.FLOAT);
  }

  @Test
  void holdsTheTrunkAndACounterForEachBatchNorm() throws IOException {
    SwavWeights weights = resnet18();
    Path file = folder.resolve("trunk.safetensors");
    TorchvisionExport.write(file, weights);
    Map<String, INDArray> tensors = SafeTensors.read(file).tensors();
    // torchvision's resnet18 has 122 entries, two of which are the classifier's
    assertThat(tensors).hasSize(120).doesNotContainKeys("prototypes.weight", "fc.weight");
    assertThat(tensors.get("conv1.weight").shape()).containsExactly(64, 3, 7, 7);
    assertThat(tensors.get("bn1.num_batches_tracked").dataType()).isEqualTo(DataType.LONG);
    assertThat(tensors.keySet().stream().filter(n -> n.endsWith("num_batches_tracked")))
        .hasSize(20);
  }

  @Test
  void torchvisionLoadsItStrictlyAndGivesTheSameFeatures()
      throws IOException, InterruptedException {
    assumeTrue(
        python(folder.resolve("log"), "-c", "import numpy, torch, torchvision") == 0,
        "needs Debian's python3-torchvision");
    SwavWeights weights = resnet18();
    Path file = folder.resolve("trunk.safetensors");
    TorchvisionExport.write(file, weights);
    INDArray images = TrainedWeights.uniform(new Random(3), -2, 2, DataType.FLOAT, 2, 3, 64, 64);
    Path input = folder.resolve("images");
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(input)))) {
      for (float f : images.data().asFloat()) {
        out.writeFloat(f);
      }
    }
    Path script = Files.writeString(folder.resolve("features.py"), SCRIPT);
    Path log = folder.resolve("log");
    Path output = folder.resolve("features");
    int status =
        python(log, script.toString(), file.toString(), input.toString(), output.toString());
    assertThat(status).as(Files.readString(log, StandardCharsets.UTF_8)).isZero();
    FloatBuffer theirs = ByteBuffer.wrap(Files.readAllBytes(output)).asFloatBuffer();
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(weights, new Nd4jEngine())) {
      float[] ours = encoder.features(images).data().asFloat();
      assertThat(theirs.remaining()).isEqualTo(ours.length);
      float largest = 0;
      for (float f : ours) {
        largest = Math.max(largest, Math.abs(f));
      }
      for (float f : ours) {
        assertThat(Math.abs(f - theirs.get())).isLessThan(1e-4f * largest);
      }
    }
  }

  private static int python(Path log, String... arguments)
      throws IOException, InterruptedException {
    if (!new File(PYTHON).canExecute()) {
      return -1;
    }
    List<String> command = new ArrayList<>(List.of(PYTHON));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      return -2;
    }
    return process.exitValue();
  }

  @Test
  void aTrunkThatTorchvisionLacksIsRefused() {
    SwavWeights weights = BackboneTest.used(BackboneTest.trunks().get(0), DataType.FLOAT);
    Path file = folder.resolve("trunk.safetensors");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TorchvisionExport.write(file, weights))
        .withMessageContaining("torchvision's residual networks");
    assertThat(Files.exists(file)).isFalse();
  }
}
