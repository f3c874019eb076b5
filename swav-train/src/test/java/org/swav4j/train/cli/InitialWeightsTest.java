package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.Dl4jExport;
import org.swav4j.model.SafeTensors;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;

/**
 * Weights that the command line is given: what it looks at them with, and what begins with them.
 */
class InitialWeightsTest {
  @TempDir static Path folder;

  private static Path run;
  private static Path weights;

  @BeforeAll
  static void makeARun() {
    run = folder.resolve("run");
    weights = run.resolve("weights.safetensors");
    assertThat(train(run, "--prototypes", "4").status()).isZero();
  }

  private static CommandLineTest.Outcome train(Path out, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                ("train --data shapes:24 --crops 2x16 --epochs 1 --batch 8 --hidden 16 --dim 8"
                        + " --width 0.25 --eval-every 0")
                    .split(" ")));
    arguments.addAll(List.of("--out", out.toString()));
    arguments.addAll(List.of(more));
    return CommandLineTest.swav(arguments.toArray(String[]::new));
  }

  private static CommandLineTest.Outcome embed(Path out, String... of) {
    List<String> arguments =
        new ArrayList<>(List.of("embed", "--data", "shapes:20", "--out", out.toString()));
    arguments.addAll(List.of(of));
    return CommandLineTest.swav(arguments.toArray(String[]::new));
  }

  private static Path changed(String name, SafeTensors read, Map<String, String> metadata)
      throws IOException {
    Path file = folder.resolve(name);
    SafeTensors.write(file, read.tensors(), metadata);
    return file;
  }

  @Test
  void aRunAndItsWeightsGiveTheSameFeatures() throws IOException {
    Path byRun = folder.resolve("run.npy");
    Path byWeights = folder.resolve("weights.npy");
    assertThat(embed(byRun, "--run", run.toString()).status()).isZero();
    CommandLineTest.Outcome embedded = embed(byWeights, "--weights", weights.toString());
    assertThat(embedded.status()).isZero();
    assertThat(embedded.err()).doesNotContain("assumed");
    assertThat(byWeights).hasSameBinaryContentAs(byRun);

    SafeTensors read = SafeTensors.read(weights);
    Map<String, String> older = new LinkedHashMap<>(read.metadata());
    older.keySet().removeAll(List.of("resize", "size"));
    Path silent = changed("silent.safetensors", read, older);
    Path at32 = folder.resolve("32.npy");
    assertThat(embed(at32, "--weights", silent.toString()).err())
        .contains("doesn't say for which size it was trained: 32 pixels are assumed, --size");
    assertThat(Files.readAllBytes(at32)).isNotEqualTo(Files.readAllBytes(byRun));
    assertThat(embed(at32, "--weights", silent.toString(), "--size", "16").status()).isZero();
    assertThat(at32).hasSameBinaryContentAs(byRun);
  }

  @Test
  void exportWritesTheSameNetworkInEveryFormatOrNothing() throws IOException {
    Path onnx = folder.resolve("encoder.onnx");
    Path torchvision = folder.resolve("trunk.safetensors");
    Path dl4j = folder.resolve("trunk.zip");
    Path sameDiff = folder.resolve("trunk.fb");
    CommandLineTest.Outcome done =
        CommandLineTest.swav(
            "export",
            "--json",
            "--run",
            run.toString(),
            "--onnx",
            onnx.toString(),
            "--torchvision",
            torchvision.toString(),
            "--dl4j",
            dl4j.toString(),
            "--samediff",
            sameDiff.toString());
    assertThat(done.status()).as(done.err()).isZero();
    assertThat(done.out().lines())
        .hasSize(4)
        .first()
        .asString()
        .contains("\"format\":\"onnx\"", "\"bytes\":" + Files.size(onnx));
    assertThat(SafeTensors.read(torchvision).tensors()).containsKey("bn1.num_batches_tracked");

    SwavWeights trained = SwavWeights.load(weights);
    INDArray images = Nd4j.rand(DataType.FLOAT, 2, 3, 16, 16);
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(trained)) {
      INDArray features = encoder.features(images);
      INDArray graph = ComputationGraph.load(dl4j.toFile(), false).outputSingle(images);
      INDArray plain =
          SameDiff.load(sameDiff.toFile(), false)
              .outputSingle(Map.of(Dl4jExport.IMAGES, images), Dl4jExport.FEATURES);
      assertThat(graph.distance2(features)).isLessThan(1e-4 * features.norm2Number().doubleValue());
      assertThat(plain.distance2(features)).isLessThan(1e-4 * features.norm2Number().doubleValue());
    }

    assertThat(CommandLineTest.swav("export", "--run", run.toString()).status()).isEqualTo(2);
    Path left = folder.resolve("left.onnx");
    CommandLineTest.Outcome refused =
        CommandLineTest.swav(
            "export",
            "--run",
            run.toString(),
            "--onnx",
            left.toString(),
            "--dl4j",
            folder.resolve("nowhere/trunk.zip").toString());
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.err()).contains("--dl4j", "nowhere", "make it first").hasLineCount(1);
    assertThat(left).doesNotExist();
  }

  @Test
  void weightsThatCannotBeUsedAreRefusedByName() throws IOException {
    SafeTensors read = SafeTensors.read(weights);
    read.tensors().get("layer2.0.conv1.weight").data().put(3, Float.NaN);
    Path bad = changed("bad.safetensors", read, read.metadata());
    Path out = folder.resolve("none.npy");
    CommandLineTest.Outcome refused = embed(out, "--weights", bad.toString());
    assertThat(refused.status()).isIn(1, 2);
    assertThat(refused.err().strip().lines()).hasSize(1);
    assertThat(refused.err()).contains("tensor 'layer2.0.conv1.weight' holds NaN at index 3");
    assertThat(out).doesNotExist();
    CommandLineTest.Outcome checkpoint =
        embed(out, "--weights", run.resolve("checkpoint.safetensors").toString());
    assertThat(checkpoint.status()).isIn(1, 2);
    assertThat(checkpoint.err())
        .contains("is a checkpoint", weights + " beside it holds them")
        .doesNotContain("wasn't written");
  }

  @Test
  void aRunBeginsWithAnotherAndGoesOnWithoutIt() throws IOException {
    Path source = Files.copy(weights, folder.resolve("source.safetensors"));
    Path out = folder.resolve("second");
    // so small a rate leaves parameters where they began
    CommandLineTest.Outcome begun =
        train(
            out,
            "--prototypes",
            "4",
            "--init",
            source.toString(),
            "--lr",
            "1e-9",
            "--wd",
            "0",
            "--seed",
            "5");
    assertThat(begun.status()).isZero();
    assertThat(begun.err()).contains("loaded: trunk, projection head, prototypes; missing there");
    assertThat(out.resolve("config.json")).content().contains("\"init\": \"" + source + "\"");
    Map<String, INDArray> before = SwavWeights.load(source).parameters();
    SwavWeights.load(out.resolve("weights.safetensors"))
        .parameters()
        .forEach(
            (name, array) ->
                assertThat(array.sub(before.get(name)).amaxNumber().doubleValue())
                    .as(name)
                    .isLessThan(1e-6));
    Files.delete(source);
    assertThat(CommandLineTest.swav("train", "--resume", out.toString()).status()).isZero();
  }

  @Test
  void whatDoesNotFitIsNamedWithTheWayOut() {
    Path out = folder.resolve("third");
    CommandLineTest.Outcome more = train(out, "--prototypes", "6", "--init", run.toString());
    assertThat(more.status()).isIn(1, 2);
    assertThat(more.err())
        .contains("prototypes.weight is [4, 8], expected [6, 8]", "--init-partial takes it alone");
    CommandLineTest.Outcome other =
        train(folder.resolve("fourth"), "--arch", "resnet18", "--init", run.toString());
    assertThat(other.status()).isIn(1, 2);
    assertThat(other.err())
        .contains("conv1.weight is [4, 3, 3, 3], expected [16, 3, 3, 3]")
        .contains("architecture resnet20, expected resnet18");
    CommandLineTest.Outcome alone =
        train(
            folder.resolve("fifth"),
            "--prototypes",
            "6",
            "--init",
            run.toString(),
            "--init-partial");
    assertThat(alone.status()).isZero();
    assertThat(alone.err()).contains("loaded: trunk; missing there", "projection_head.* (8)");
    assertThat(train(folder.resolve("sixth"), "--init-partial").err())
        .contains("--init-partial is true, expected a file with it, by --init");
  }
}
