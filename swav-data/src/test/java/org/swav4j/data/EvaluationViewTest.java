package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class EvaluationViewTest {
  private static final Normalisation PLAIN =
      new Normalisation(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));

  @Test
  void theViewIsTheCentreOfTheResizedWhole() {
    Image image = FakeSource.noise(3, 61, 40, 3);
    try (EvaluationView view = new EvaluationView(20, 12, Normalisation.imageNet(), 1)) {
      float[] actual = view.of(image).data().asFloat();
      float[][] whole = ImageOps.resizedCrop(image, 0, 0, 40, 61, 20, 30);
      Normalisation n = Normalisation.imageNet();
      for (int c = 0; c < 3; c++) {
        ImageOps.normalise(
            whole[c], 0, 600, n.mean().get(c).floatValue(), n.deviation().get(c).floatValue());
        for (int y = 0; y < 12; y++) {
          for (int x = 0; x < 12; x++) {
            assertThat(actual[(c * 12 + y) * 12 + x]).isEqualTo(whole[c][(y + 4) * 30 + x + 9]);
          }
        }
      }
    }
  }

  @Test
  void anImageOfTheViewsSizeIsUnchanged() {
    Image image = FakeSource.noise(3, 12, 12, 3);
    try (EvaluationView view = new EvaluationView(12, 12, PLAIN, 1)) {
      float[] actual = view.of(image).data().asFloat();
      for (int i = 0; i < actual.length; i++) {
        assertThat(Math.round(actual[i] * 255))
            .isEqualTo(image.pixels()[i % 144 * 3 + i / 144] & 0xff);
      }
    }
  }

  @Test
  void unreadableImagesLeaveNoRowAndTheOthersMoveUp() throws Exception {
    FakeSource source = FakeSource.colour(12).without(2, 3, 7);
    for (int workers : new int[] {1, 4}) {
      try (EvaluationView view = new EvaluationView(14, 10, Normalisation.imageNet(), workers)) {
        INDArray out = Nd4j.create(DataType.FLOAT, 8, 3, 10, 10);
        int[] indices = view.fill(source, 1, 8, out);
        assertThat(indices).containsExactly(1, 4, 5, 6, 8);
        assertThat(view.skipped().count()).isEqualTo(3);
        for (int row = 0; row < indices.length; row++) {
          float[] expected = view.of(source.read(indices[row], 1)).data().asFloat();
          assertThat(out.slice(row).dup().data().asFloat()).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void refusesAnArrayOfAnotherShape() {
    try (EvaluationView view = new EvaluationView(14, 10, Normalisation.imageNet(), 1)) {
      INDArray small = Nd4j.create(DataType.FLOAT, 3, 3, 10, 10);
      assertThatThrownBy(() -> view.fill(FakeSource.colour(9), 0, 4, small))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("[3, 3, 10, 10]")
          .hasMessageContaining("[4 or more, 3, 10, 10]");
      INDArray doubles = Nd4j.create(DataType.DOUBLE, 4, 3, 10, 10);
      assertThatThrownBy(() -> view.fill(FakeSource.colour(9), 0, 4, doubles))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("DOUBLE");
    }
  }

  @Test
  void refusesASquareLargerThanTheResizedSide() {
    assertThatThrownBy(() -> new EvaluationView(10, 14, PLAIN, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("14 pixels");
  }
}
