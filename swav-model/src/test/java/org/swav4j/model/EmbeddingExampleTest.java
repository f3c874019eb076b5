package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The README's example of embedding, so that it compiles and holds. */
class EmbeddingExampleTest {
  @TempDir private Path folder;

  private record Answer(double likeness, int cluster, long[] shape) {}

  /** Keep the body the same as in the README. */
  private static Answer example(Path weights, Path cat, Path dog) throws IOException {
    try (SwavEncoder encoder = SwavEncoder.load(weights)) {
      INDArray features = encoder.features(cat); // [1, features], for a classifier of your own
      double likeness = Transforms.cosineSim(features, encoder.features(dog));
      int cluster = encoder.assign(encoder.pixels(cat))[0]; // 0 to K - 1
      return new Answer(likeness, cluster, features.shape());
    }
  }

  private Path picture(String name, Color from, Color to) throws IOException {
    BufferedImage image = new BufferedImage(40, 32, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setPaint(new GradientPaint(0, 0, from, 40, 32, to));
    graphics.fillRect(0, 0, 40, 32);
    graphics.dispose();
    Path file = folder.resolve(name);
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  @Test
  void picturesAreComparedAndClustered() throws IOException {
    Path weights = folder.resolve("weights.safetensors");
    SwavConfig config = new SwavConfig(Architecture.RESNET20, 0.5, Stem.SMALL, 3, 64, 32, 10, 0.1);
    SwavWeights.initialise(config, 1)
        .withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25))
        .save(weights);
    Path cat = picture("cat.png", Color.ORANGE, Color.BLACK);
    Path dog = picture("dog.png", Color.WHITE, Color.BLUE);
    Answer same = example(weights, cat, cat);
    Answer other = example(weights, cat, dog);
    assertThat(same.likeness()).isGreaterThan(0.99999);
    assertThat(other.likeness()).isLessThan(same.likeness() - 1e-3);
    assertThat(other.cluster()).isEqualTo(same.cluster()).isBetween(0, 9);
    assertThat(same.shape()).containsExactly(1, 32);
  }
}
