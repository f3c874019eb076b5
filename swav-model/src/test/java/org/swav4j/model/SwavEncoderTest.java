package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.swav4j.model.ArrayAssert.assertExact;
import static org.swav4j.model.ArrayAssert.difference;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.engine.Nd4jEngine;

class SwavEncoderTest {
  private static final List<Double> MEAN = List.of(0.4, 0.5, 0.6);
  private static final List<Double> DEVIATION = List.of(0.2, 0.25, 0.3);

  private static SwavWeights weights(Architecture architecture, Stem stem, DataType type) {
    SwavConfig config = new SwavConfig(architecture, 0.125, stem, 3, 12, 8, 5, 0.1);
    return TrainedWeights.of(config, 3, type).withNormalisation(MEAN, DEVIATION);
  }

  private static INDArray pixels(long seed, DataType type, long... shape) {
    return TrainedWeights.uniform(new Random(seed), 0, 1, type, shape);
  }

  private static INDArray normalised(INDArray pixels) {
    INDArray mean = Nd4j.createFromArray(0.4, 0.5, 0.6).castTo(pixels.dataType());
    INDArray deviation = Nd4j.createFromArray(0.2, 0.25, 0.3).castTo(pixels.dataType());
    return pixels.sub(mean.reshape(1, 3, 1, 1)).div(deviation.reshape(1, 3, 1, 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet20-small", "resnet18-imagenet", "resnet50-small"})
  void everyResultIsPyTorchs(String name) {
    TorchFixture torch = TorchFixture.of(name);
    try (SwavEncoder fast = SwavEncoder.of(torch.weights());
        SwavEncoder nd4j = SwavEncoder.of(torch.weights(), new Nd4jEngine())) {
      for (SwavEncoder encoder : List.of(fast, nd4j)) {
        assertThat(difference(encoder.features(torch.images()), torch.features())).isLessThan(1e-5);
        assertThat(difference(encoder.embeddings(torch.images()), torch.embeddings()))
            .isLessThan(1e-5);
        assertThat(encoder.assign(torch.images()))
            .isEqualTo(torch.scores().argMax(1).toIntVector());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void foldingChangesNothing(Architecture architecture) {
    Stem stem = architecture == Architecture.RESNET34 ? Stem.IMAGENET : Stem.SMALL;
    SwavWeights weights = weights(architecture, stem, DataType.DOUBLE);
    INDArray images = pixels(1, DataType.DOUBLE, 2, 3, 20, 17);
    INDArray unfolded =
        Dl4jExport.sameDiff(weights)
            .outputSingle(Map.of(Dl4jExport.IMAGES, normalised(images)), Dl4jExport.FEATURES);
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      assertThat(difference(encoder.features(images), unfolded)).isLessThan(1e-9);
    }
  }

  /** Of channels enough for Winograd's algorithm, in plans of 64, 16, 4 and 1 images. */
  @Test
  void aWideNetworkGivesWhatNd4jGives() {
    SwavConfig config = new SwavConfig(Architecture.RESNET18, 0.5, Stem.SMALL, 3, 12, 8, 5, 0.1);
    SwavWeights weights = TrainedWeights.of(config, 3, DataType.FLOAT);
    INDArray images = TrainedWeights.images(2, DataType.FLOAT, 85, 3, 20, 20);
    try (SwavEncoder fast = SwavEncoder.ofNormalised(weights);
        SwavEncoder nd4j = SwavEncoder.ofNormalised(weights, new Nd4jEngine())) {
      assertThat(difference(fast.features(images), nd4j.features(images))).isLessThan(1e-5);
      assertThat(difference(fast.embeddings(images), nd4j.embeddings(images))).isLessThan(1e-5);
    }
  }

  @Test
  void normalisedImagesGiveWhatPixelsGive() {
    SwavWeights weights = weights(Architecture.RESNET18, Stem.SMALL, DataType.FLOAT);
    INDArray images = pixels(1, DataType.FLOAT, 3, 3, 16, 16);
    try (SwavEncoder ofPixels = SwavEncoder.of(weights);
        SwavEncoder ofNormalised = SwavEncoder.ofNormalised(weights)) {
      INDArray expected = ofNormalised.features(normalised(images));
      assertThat(difference(ofPixels.features(images), expected)).isLessThan(1e-5);
    }
  }

  @Test
  void partsAreOfFewSizesAndCoverEverything() {
    assertThat(SwavEncoder.parts(1, 224, 224)).containsExactly(1L);
    assertThat(SwavEncoder.parts(9, 224, 224)).containsExactly(4L, 4L, 1L);
    assertThat(SwavEncoder.parts(7, 224, 224)).containsExactly(4L, 1L, 1L, 1L);
    assertThat(SwavEncoder.parts(64, 96, 96)).containsExactly(64L);
    assertThat(SwavEncoder.parts(86, 32, 32)).containsExactly(64L, 16L, 4L, 1L, 1L);
    assertThat(SwavEncoder.parts(2, 5000, 5000)).containsExactly(1L, 1L);
    assertThat(SwavEncoder.imagesAtOnce(5000, 5000)).isOne();
    assertThat(SwavEncoder.imagesAtOnce(224, 224)).isEqualTo(4);
    assertThat(SwavEncoder.imagesAtOnce(32, 32)).isEqualTo(64);
  }

  @Test
  void aBatchGivesWhatItsImagesGiveOneByOne() {
    SwavWeights weights = weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT);
    INDArray images = pixels(1, DataType.FLOAT, 22, 3, 9, 9);
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      INDArray together = encoder.embeddings(images);
      int[] clusters = encoder.assign(images);
      assertThat(together.norm2(1).sub(1).amaxNumber().doubleValue()).isLessThan(1e-5);
      for (int i = 0; i < 22; i++) {
        INDArray one = images.get(NDArrayIndex.interval(i, i + 1));
        INDArray row = together.get(NDArrayIndex.interval(i, i + 1));
        assertThat(difference(encoder.embeddings(one), row)).isLessThan(1e-5);
        assertThat(encoder.assign(one)).containsExactly(clusters[i]);
      }
    }
  }

  @Test
  void imagesMayBeViewsOfAnyStridesAndType() {
    SwavWeights weights = weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT);
    INDArray channelsLast = pixels(1, DataType.DOUBLE, 2, 9, 9, 3);
    INDArray view = channelsLast.permute(0, 3, 1, 2);
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      INDArray dense = encoder.features(view.castTo(DataType.FLOAT).dup('c'));
      assertThat(difference(encoder.features(view), dense)).isLessThan(1e-6);
    }
  }

  @Test
  void moreSizesThanPlansAreKeptGiveTheSameAgain() {
    SwavWeights weights = weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT);
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      List<INDArray> first = new ArrayList<>();
      for (int size = 8; size < 17; size++) {
        first.add(encoder.features(pixels(size, DataType.FLOAT, 1, 3, size, size)));
      }
      for (int size = 8; size < 17; size++) {
        INDArray again = encoder.features(pixels(size, DataType.FLOAT, 1, 3, size, size));
        assertExact("size " + size, again, first.get(size - 8));
      }
    }
  }

  @Test
  void trainingOnDoesNotChangeAnEncoder() {
    SwavWeights weights = weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT);
    INDArray images = pixels(1, DataType.FLOAT, 2, 3, 9, 9);
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      INDArray before = encoder.embeddings(images);
      weights.parameters().values().forEach(array -> array.muli(1.5));
      weights.statistics().values().forEach(array -> array.addi(1));
      assertExact("embeddings", encoder.embeddings(images), before);
    }
  }

  @Test
  void severalThreadsGetTheirOwnResults() throws Exception {
    SwavWeights weights = weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      List<INDArray> images = new ArrayList<>();
      List<INDArray> expected = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        images.add(pixels(i, DataType.FLOAT, 1 + i % 3, 3, 8 + i % 4, 9));
        expected.add(encoder.features(images.get(i)));
      }
      List<Future<INDArray>> results = new ArrayList<>();
      for (INDArray batch : images) {
        results.add(threads.submit(() -> encoder.features(batch)));
      }
      for (int i = 0; i < 24; i++) {
        assertExact("batch " + i, results.get(i).get(), expected.get(i));
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void picturesBecomePixelsInRedGreenBlueOrderOverWhite() {
    SwavWeights colour =
        weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT).withInputSize(InputSize.of(4));
    SwavWeights grey =
        SwavWeights.initialise(
                new SwavConfig(Architecture.RESNET20, 0.125, Stem.SMALL, 1, 12, 8, 5, 0.1), 1)
            .withNormalisation(List.of(0.5), List.of(0.25))
            .withInputSize(InputSize.of(4));
    // wider than high: the first and the last column are cut off
    BufferedImage image = new BufferedImage(6, 4, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(1, 0, 0xFFFF8000);
    image.setRGB(4, 1, 0xFF0000FF);
    image.setRGB(0, 0, 0xFF000000);
    try (SwavEncoder encoder = SwavEncoder.of(colour);
        SwavEncoder greyEncoder = SwavEncoder.of(grey)) {
      INDArray pixels = encoder.pixels(image);
      assertThat(pixels.shape()).containsExactly(1, 3, 4, 4);
      assertThat(pixels.getFloat(0, 0, 0, 0)).isEqualTo(1f);
      assertThat(pixels.getFloat(0, 1, 0, 0)).isCloseTo(128 / 255f, within(1e-6f));
      assertThat(pixels.getFloat(0, 2, 0, 0)).isZero();
      assertThat(pixels.getFloat(0, 0, 1, 3)).isZero();
      assertThat(pixels.getFloat(0, 2, 1, 3)).isEqualTo(1f);
      assertThat(pixels.getFloat(0, 1, 0, 1)).as("transparent").isEqualTo(1f);
      INDArray luma = greyEncoder.pixels(image);
      assertThat(luma.shape()).containsExactly(1, 1, 4, 4);
      assertThat(luma.getFloat(0, 0, 1, 3)).isCloseTo(0.114f, within(0.002f));
      assertThat(greyEncoder.features(luma).shape()).containsExactly(1, 8);
    }
  }

  @Test
  void aFileAStreamAndADecodedPictureGiveTheSame(@TempDir Path folder) throws IOException {
    SwavWeights weights =
        weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT)
            .withInputSize(new InputSize(20, 16));
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < 70; i++) {
      BufferedImage image =
          new BufferedImage(
              30 + i, 50, i % 2 == 0 ? BufferedImage.TYPE_INT_RGB : BufferedImage.TYPE_BYTE_GRAY);
      Random random = new Random(i);
      for (int p = 0; p < image.getWidth() * 50; p++) {
        int v = (p % image.getWidth() * 3 + p / image.getWidth() * 2 + random.nextInt(20)) & 255;
        image.getRaster().setSample(p % image.getWidth(), p / image.getWidth(), 0, v);
      }
      files.add(folder.resolve(i + ".png"));
      ImageIO.write(image, "png", files.get(i).toFile());
    }
    try (SwavEncoder encoder = SwavEncoder.of(weights);
        SwavEncoder normalised = SwavEncoder.ofNormalised(weights)) {
      INDArray together = encoder.features(files);
      assertThat(together.shape()).containsExactly(70, 8);
      for (int i : new int[] {0, 1, 68, 69}) {
        INDArray row = together.get(NDArrayIndex.interval(i, i + 1));
        INDArray fromFile = encoder.features(files.get(i));
        assertThat(difference(fromFile, row)).isLessThan(1e-5);
        assertThat(difference(normalised.features(files.get(i)), row)).isLessThan(1e-5);
        try (InputStream in = Files.newInputStream(files.get(i))) {
          assertExact("stream", encoder.features(in), fromFile);
        }
        BufferedImage decoded = ImageIO.read(files.get(i).toFile());
        assertThat(difference(encoder.features(decoded), fromFile)).isLessThan(1e-5);
      }
      Files.writeString(files.get(3), "no picture");
      assertThatThrownBy(() -> encoder.features(files))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("3.png");
      assertThatThrownBy(() -> encoder.features(folder.resolve("none.png")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("none.png: there is no such file");
      encoder.close();
      assertThatThrownBy(() -> encoder.features(files.get(0)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void whatCannotBeRightIsRefused() {
    SwavWeights weights = weights(Architecture.RESNET20, Stem.SMALL, DataType.FLOAT);
    SwavEncoder encoder = SwavEncoder.of(weights);
    assertThatThrownBy(() -> encoder.features(pixels(1, DataType.FLOAT, 3, 9, 9)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[3, 9, 9], expected [n, 3, height, width]");
    assertThatThrownBy(() -> encoder.features(pixels(1, DataType.FLOAT, 1, 9, 9, 3)))
        .hasMessageContaining("[1, 9, 9, 3]");
    assertThatThrownBy(() -> encoder.features(pixels(1, DataType.FLOAT, 1, 3, 9, 9).mul(255)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("divide bytes by 255");
    INDArray undefined = pixels(1, DataType.FLOAT, 1, 3, 9, 9).putScalar(5, Float.NaN);
    assertThatThrownBy(() -> encoder.features(undefined))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NaN");
    encoder.close();
    encoder.close();
    assertThatThrownBy(() -> encoder.features(pixels(1, DataType.FLOAT, 1, 3, 9, 9)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    SwavWeights unknown = SwavWeights.initialise(weights.config(), 1);
    assertThatThrownBy(() -> SwavEncoder.of(unknown))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("withNormalisation");
  }
}
