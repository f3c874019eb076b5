package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.engine.Nd4jEngine;

class OnnxExportTest {
  @TempDir private Path folder;

  private static SwavWeights weights(Architecture architecture, Stem stem, int channels) {
    return TrainedWeights.of(
            new SwavConfig(architecture, 0.125, stem, channels, 12, 8, 5, 0.1), 11, DataType.FLOAT)
        .withInputSize(new InputSize(24, 20))
        .withNormalisation(
            List.of(0.4, 0.5, 0.6).subList(0, channels),
            List.of(0.2, 0.3, 0.25).subList(0, channels));
  }

  static List<Arguments> networks() {
    return List.of(
        Arguments.of(Architecture.RESNET20, Stem.SMALL, 1),
        Arguments.of(Architecture.RESNET18, Stem.SMALL, 3),
        Arguments.of(Architecture.RESNET50, Stem.IMAGENET, 3));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void onnxRuntimeGivesWhatTheEncoderGivesForBatchesAndSizesOfAnyKind(
      Architecture architecture, Stem stem, int channels) throws IOException, OrtException {
    SwavWeights weights = weights(architecture, stem, channels);
    Path file = folder.resolve("encoder.onnx");
    OnnxExport.write(file, weights);
    try (OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession session = environment.createSession(file.toString());
        SwavEncoder encoder = SwavEncoder.of(weights, new Nd4jEngine())) {
      assertThat(session.getMetadata().getCustomMetadata())
          .containsEntry("size", "20")
          .containsEntry("resize", "24")
          .containsEntry("architecture", architecture.label());
      for (int[] shape : new int[][] {{1, 20, 20}, {3, 20, 20}, {2, 33, 24}}) {
        INDArray images =
            TrainedWeights.uniform(
                new Random(5), 0, 1, DataType.FLOAT, shape[0], channels, shape[1], shape[2]);
        try (OnnxTensor input =
                OnnxTensor.createTensor(
                    environment,
                    FloatBuffer.wrap(images.dup('c').data().asFloat()),
                    images.shape());
            OrtSession.Result result = session.run(Map.of("images", input))) {
          INDArray features = array(result, "features");
          INDArray embeddings = array(result, "embeddings");
          assertSame(features, encoder.features(images));
          assertSame(embeddings, encoder.embeddings(images));
          assertThat(embeddings.norm2(1).sub(1).amaxNumber().doubleValue()).isLessThan(1e-5);
          assertThat(array(result, "scores").argMax(1).toIntVector())
              .containsExactly(encoder.assign(images));
        }
      }
    }
  }

  private static INDArray array(OrtSession.Result result, String name) throws OrtException {
    return Nd4j.createFromArray((float[][]) result.get(name).orElseThrow().getValue());
  }

  private static void assertSame(INDArray actual, INDArray expected) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    for (int i = 0; i < actual.rows(); i++) {
      INDArray row = actual.getRow(i);
      assertThat(Transforms.cosineSim(row, expected.getRow(i))).isGreaterThan(0.99999);
      assertThat(row.norm2Number().doubleValue())
          .isCloseTo(expected.getRow(i).norm2Number().doubleValue(), within(1e-3));
    }
  }

  @ParameterizedTest
  @MethodSource("org.swav4j.model.BackboneTest#trunks")
  void aBackboneOfOnesOwnIsWrittenToo(Backbone own) throws IOException, OrtException {
    SwavWeights weights =
        BackboneTest.used(own, DataType.FLOAT)
            .withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.2, 0.2, 0.2));
    Path file = folder.resolve("own.onnx");
    OnnxExport.write(file, weights);
    INDArray images = TrainedWeights.uniform(new Random(5), 0, 1, DataType.FLOAT, 2, 3, 24, 24);
    try (OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession session = environment.createSession(file.toString());
        SwavEncoder encoder = SwavEncoder.of(weights, new Nd4jEngine());
        OnnxTensor input =
            OnnxTensor.createTensor(
                environment, FloatBuffer.wrap(images.data().asFloat()), images.shape());
        OrtSession.Result result = session.run(Map.of("images", input))) {
      assertSame(array(result, "features"), encoder.features(images));
    }
  }

  @Test
  void withoutNormalisationNothingIsWritten() {
    SwavWeights weights =
        SwavWeights.initialise(
            new SwavConfig(Architecture.RESNET20, 0.125, Stem.SMALL, 1, 12, 8, 5, 0.1), 1);
    Path file = folder.resolve("encoder.onnx");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OnnxExport.write(file, weights))
        .withMessageContaining("withNormalisation");
    assertThat(Files.exists(file)).isFalse();
  }
}
