package com.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import org.datavec.api.split.FileSplit;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.image.recordreader.ImageRecordReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class CropsTest {
  @TempDir Path folder;

  @Test
  void everyReadGivesAnotherCropOfTheSizeAskedFor() throws IOException {
    // Squares that are seen in every crop, however much it is blurred and recoloured.
    BufferedImage image = new BufferedImage(90, 60, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 60; y++) {
      for (int x = 0; x < 90; x++) {
        image.setRGB(x, y, (x / 15 + y / 15) % 2 == 0 ? 0xfff0e0 : 0x102030);
      }
    }
    ImageIO.write(image, "png", folder.resolve("picture.png").toFile());
    try (ImageRecordReader reader =
        Crops.reader(new FileSplit(folder.toFile(), new Random(1)), 32, 7)) {
      INDArray first = next(reader);
      INDArray second = next(reader);
      assertArrayEquals(new long[] {1, 3, 32, 32}, first.shape());
      assertTrue(first.minNumber().doubleValue() >= 0 && first.maxNumber().doubleValue() <= 255);
      assertTrue(first.stdNumber().doubleValue() > 5, "a picture");
      assertTrue(first.distance2(second) > 100, "two crops differ");
    }
  }

  private static INDArray next(ImageRecordReader reader) {
    if (!reader.hasNext()) {
      reader.reset();
    }
    return ((NDArrayWritable) reader.next().get(0)).get();
  }

  /** A pipeline needs no network. */
  @Test
  void neitherModelsNorDeeplearning4jAreOnTheClassPath() {
    assertThrows(
        ClassNotFoundException.class, () -> Class.forName("org.swav4j.model.SwavEncoder"));
    assertThrows(
        ClassNotFoundException.class,
        () -> Class.forName("org.deeplearning4j.nn.graph.ComputationGraph"));
  }
}
