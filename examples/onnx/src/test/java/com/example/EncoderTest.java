package com.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.model.Architecture;
import org.swav4j.model.InputSize;
import org.swav4j.model.OnnxExport;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;

class EncoderTest {
  @TempDir Path folder;

  /** A picture of the network's own size, which nobody resizes. */
  @Test
  void givesTheFeaturesThatSwavGives() throws Exception {
    SwavWeights weights =
        SwavWeights.initialise(
                new SwavConfig(Architecture.RESNET20, 0.5, Stem.SMALL, 3, 32, 16, 10, 0.1), 1)
            .withNormalisation(List.of(0.4, 0.5, 0.6), List.of(0.2, 0.25, 0.3))
            .withInputSize(new InputSize(32, 32));
    Path onnx = folder.resolve("encoder.onnx");
    OnnxExport.write(onnx, weights);
    BufferedImage picture = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(1);
    for (int i = 0; i < 32 * 32; i++) {
      picture.setRGB(i % 32, i / 32, random.nextInt(1 << 24));
    }
    try (Encoder encoder = new Encoder(onnx);
        SwavEncoder ours = SwavEncoder.of(weights)) {
      assertArrayEquals(
          ours.features(picture).toFloatVector(), encoder.features(picture), 1e-4f);
    }
  }
}
