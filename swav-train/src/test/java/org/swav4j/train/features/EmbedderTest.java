package org.swav4j.train.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.DataSpec;
import org.swav4j.data.EvaluationView;
import org.swav4j.data.FolderSource;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.train.evaluation.IndexedFeatures;

/** Batches of one size through the network, and a row for each image. */
class EmbedderTest {
  private static final Normalisation NORMALISATION =
      new Normalisation(List.of(.5, .5, .5), List.of(.25, .25, .25));

  @ParameterizedTest
  @CsvSource({"1, 64", "24, 64", "128, 128", "130, 128+64", "200, 128+128"})
  void aBatchIsFilledUpAndEachImageHasItsRow(int images, String batches) throws Exception {
    ImageSource source = DataSpec.parse("shapes:" + images).open().train();
    List<String> sizes = new ArrayList<>();
    List<double[]> means = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    try (Embedder embedder = new Embedder(InputSize.of(32), NORMALISATION, 2)) {
      embedder.embed(
          source,
          batch -> {
            sizes.add(Long.toString(batch.size(0)));
            return batch.mean(2, 3);
          },
          (rows, indices) -> {
            assertThat(rows.size(0)).isEqualTo(indices.length);
            Arrays.stream(indices).forEach(order::add);
            for (int i = 0; i < indices.length; i++) {
              means.add(rows.getRow(i).toDoubleVector());
            }
          });
    }
    assertThat(String.join("+", sizes)).isEqualTo(batches);
    assertThat(order).hasSize(images).isSorted().doesNotHaveDuplicates();
    try (EvaluationView view = new EvaluationView(32, 32, NORMALISATION, 1)) {
      for (int i = 0; i < images; i += 23) {
        INDArray alone = view.of(source.read(i, 32)).mean(2, 3);
        assertThat(means.get(i))
            .containsExactly(alone.get(NDArrayIndex.point(0)).toDoubleVector(), within(1e-6));
      }
    }
  }

  /** Every seventh of 200 images can't be read: those left fill no batch. */
  @Test
  void aViewerSeesReadableImagesAlone(@TempDir Path folder) throws Exception {
    for (int i = 0; i < 200; i++) {
      BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
      image.setRGB(i % 32, i / 32, 0xffffff - i);
      Path file = folder.resolve(String.format(Locale.ROOT, "%03d.png", i));
      ImageIO.write(image, "png", file.toFile());
      if (i % 7 == 0) {
        Files.writeString(file, "no image");
      }
    }
    ImageSource source = FolderSource.open(folder, 3);
    List<double[]> seen = new ArrayList<>();
    IndexedFeatures features;
    try (Embedder embedder = new Embedder(InputSize.of(32), NORMALISATION, 2)) {
      features =
          embedder.collectIndexed(
              source,
              batch -> batch.mean(2, 3),
              images -> {
                for (int i = 0; i < images.size(0); i++) {
                  seen.add(images.mean(2, 3).getRow(i).toDoubleVector());
                }
              });
    }
    assertThat(features.images()).hasSize(171).doesNotContain(0, 7, 196).startsWith(1, 2, 3);
    assertThat(seen).hasSize(171);
    for (int i = 0; i < 171; i++) {
      assertThat(features.set().features().getRow(i).toDoubleVector())
          .containsExactly(seen.get(i), within(1e-6));
    }
  }
}
