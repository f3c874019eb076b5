package org.swav4j.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class GalleryTest {
  /** Rows at these angles, in degrees. */
  private static INDArray at(double... degrees) {
    float[][] rows = new float[degrees.length][];
    for (int i = 0; i < rows.length; i++) {
      double angle = Math.toRadians(degrees[i]);
      rows[i] = new float[] {(float) Math.cos(angle), (float) Math.sin(angle)};
    }
    return Nd4j.create(rows);
  }

  @Test
  void prototypesAreCountedNamedAndMarked() {
    INDArray embeddings = at(20, 1, 5, 91, 88);
    INDArray prototypes = at(0, 90, 180, 90).muli(3);
    Gallery gallery = Gallery.of(embeddings, embeddings, prototypes, new int[] {2, 2, 0, 1, -1});
    List<Gallery.Prototype> found = gallery.prototypes();
    assertThat(found).extracting(Gallery.Prototype::size).containsExactly(3, 2, 0, 0);
    assertThat(found).extracting(Gallery.Prototype::label).containsExactly(2, 1, null, null);
    assertThat(found.get(0).purity()).isEqualTo(2 / 3.0);
    assertThat(found.get(1).purity()).as("of the labelled").isEqualTo(1);
    assertThat(found.get(2).purity()).isNull();
    assertThat(found.get(0).typical()).containsExactly(1, 2, 0);
    assertThat(found).extracting(Gallery.Prototype::copyOf).containsExactly(null, 3, null, 1);
    assertThat(found.get(0).likeness()).isCloseTo(0, within(1e-6));
    assertThat(gallery.pictures())
        .extracting(Gallery.Picture::prototype)
        .containsExactly(0, 0, 0, 1, 1);
  }

  @Test
  void neighboursAreNearestByAngleWhateverTheLengthAndNeverTheImageItself() {
    INDArray features = at(0, 10, 30, 60, 100, 150, 210, 290);
    features.muliColumnVector(Nd4j.createFromArray(1f, 9f, 2f, 7f, 1f, 5f, 3f, 4f));
    Gallery gallery = Gallery.of(features, features, null, new int[] {0, 0, 0, 0, 0, 0, 0, 0});
    assertThat(gallery.prototypes()).isEmpty();
    Gallery.Picture second = gallery.pictures().get(1);
    assertThat(second.neighbours()).containsExactly(0, 2, 3, 7, 4, 5);
    assertThat(second.similarities().get(0))
        .isCloseTo((float) Math.cos(Math.toRadians(10)), within(1e-5f));
    assertThat(second.prototype()).isNull();
  }
}
