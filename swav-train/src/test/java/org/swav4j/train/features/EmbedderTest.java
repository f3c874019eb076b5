package org.swav4j.train.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.DataSpec;
import org.swav4j.data.EvaluationView;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;

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
}
