package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * The loader as ND4J's iterator: the same batches as by epoch, in what trains on such iterators.
 */
@Timeout(60)
class MultiCropIteratorTest {
  private static final List<CropSpec> SPECS = List.of(CropSpec.large(2, 16), CropSpec.small(3, 9));

  private static MultiCropLoader loader(int images, int batch) {
    return new MultiCropLoader(
        FakeSource.colour(images),
        SPECS,
        Augmentation.official(),
        Normalisation.imageNet(),
        batch,
        5,
        2);
  }

  /** Copies of all batches of an epoch, asked for by its number. */
  private static List<MultiDataSet> epoch(MultiCropLoader loader, int epoch) {
    List<MultiDataSet> copies = new ArrayList<>();
    for (MultiCropBatch b : loader.epoch(epoch)) {
      try (b) {
        copies.add(b.copy());
      }
    }
    return copies;
  }

  /** Copies of what is left of the iterator's epoch. */
  private static List<MultiDataSet> rest(MultiDataSetIterator iterator) {
    List<MultiDataSet> copies = new ArrayList<>();
    while (iterator.hasNext()) {
      copies.add(iterator.next().copy());
    }
    return copies;
  }

  @Test
  void resetTurnsToTheNextEpochWhoseBatchesAreThoseOfItsNumber() {
    try (MultiCropLoader iterator = loader(23, 4);
        MultiCropLoader numbered = loader(23, 4)) {
      iterator.reset(); // before the first batch: nothing is lost
      assertThat(rest(iterator)).isEqualTo(epoch(numbered, 0)).hasSize(5);
      assertThatThrownBy(iterator::next).isInstanceOf(NoSuchElementException.class);
      iterator.reset();
      assertThat(rest(iterator)).isEqualTo(epoch(numbered, 1));
      iterator.reset();
      iterator.next();
      iterator.reset(); // in the middle of epoch 2
      assertThat(rest(iterator)).isEqualTo(epoch(numbered, 3));
      assertThat(epoch(iterator, 7)).isEqualTo(epoch(numbered, 7));
      iterator.reset();
      assertThat(rest(iterator)).isEqualTo(epoch(numbered, 8));
    }
  }

  @Test
  void aBatchIsAMultiDataSetWithOneArrayPerGroupAndNoLabels() {
    try (MultiCropLoader loader = loader(8, 4)) {
      MultiDataSet b = loader.next();
      assertThat(b.numFeatureArrays()).isEqualTo(2);
      assertThat(b.numLabelsArrays()).isZero();
      assertThat(b.hasMaskArrays()).isFalse();
      assertThat(b.getFeatures(0).shape()).containsExactly(8, 3, 16, 16);
      assertThat(b.getFeatures(1).shape()).containsExactly(12, 3, 9, 9);
      List<MultiDataSet> images = b.asList();
      assertThat(images).hasSize(4);
      for (int row = 0; row < 4; row++) {
        INDArray small = images.get(row).getFeatures(1);
        assertThat(small.shape()).containsExactly(3, 3, 9, 9);
        for (int crop = 0; crop < 3; crop++) {
          assertThat(small.slice(crop)).isEqualTo(b.getFeatures(1).slice(crop * 4L + row));
        }
      }
      assertThat(b).hasToString("MultiCropBatch of 4 images: [8, 3, 16, 16], [12, 3, 9, 9]");
    }
  }

  /** More batches than there are buffers, none of them closed, and an epoch's end among them. */
  @Test
  void nextTakesBackTheBatchBefore() {
    try (MultiCropLoader loader = loader(20, 4)) {
      for (int i = 0; i < 12; i++) {
        if (!loader.hasNext()) {
          loader.reset();
        }
        loader.next();
      }
    }
  }

  @Test
  void aPreprocessorChangesEachBatchOnceAndTheNextStartsAnew() {
    try (MultiCropLoader plain = loader(16, 4);
        MultiCropLoader changed = loader(16, 4)) {
      changed.setPreProcessor(
          b -> {
            b.getFeatures(0).muli(2);
            b.setFeatures(1, Nd4j.scalar(3f));
            b.setLabels(new INDArray[] {Nd4j.scalar(1f)});
          });
      assertThat(changed.getPreProcessor()).isNotNull();
      for (int i = 0; i < 4; i++) {
        MultiDataSet expected = plain.next();
        MultiDataSet actual = changed.next();
        assertThat(actual.getFeatures(0)).isEqualTo(expected.getFeatures(0).mul(2));
        assertThat(actual.getFeatures(1)).isEqualTo(Nd4j.scalar(3f));
        assertThat(actual.numLabelsArrays()).isEqualTo(1);
      }
      plain.reset();
      changed.reset();
      changed.setPreProcessor(null);
      assertThat(rest(changed)).isEqualTo(rest(plain));
    }
  }

  /**
   * SameDiff trains on it. The loss is {@code w · (mean of large + mean of small)}, so plain
   * gradient descent subtracts the rate times the sum of these means over the batches it has seen.
   */
  @Test
  void sameDiffFitsOnTheBatchesOfEpochs0And1() {
    SameDiff sd = SameDiff.create();
    SDVariable large = sd.placeHolder("large", DataType.FLOAT, -1, 3, 16, 16);
    SDVariable small = sd.placeHolder("small", DataType.FLOAT, -1, 3, 9, 9);
    SDVariable w = sd.var("w", Nd4j.scalar(1f));
    w.mul(large.mean().add(small.mean())).rename("loss");
    sd.setLossVariables("loss");
    sd.setTrainingConfig(
        TrainingConfig.builder()
            .updater(new Sgd(0.1))
            .dataSetFeatureMapping("large", "small")
            .markLabelsUnused()
            .build());
    double expected = 1;
    try (MultiCropLoader loader = loader(22, 4);
        MultiCropLoader numbered = loader(22, 4)) {
      sd.fit(loader, 2);
      for (int epoch = 0; epoch < 2; epoch++) {
        for (MultiDataSet b : epoch(numbered, epoch)) {
          double means =
              b.getFeatures(0).meanNumber().doubleValue()
                  + b.getFeatures(1).meanNumber().doubleValue();
          assertThat(Math.abs(means)).isGreaterThan(1e-3);
          expected -= 0.1 * means;
        }
      }
    }
    assertThat(w.getArr().getDouble(0)).isCloseTo(expected, Offset.offset(1e-5));
  }

  @Test
  void refusesAnotherNumberOfImagesShufflingAndSerialisation() {
    try (MultiCropLoader loader = loader(16, 4)) {
      assertThatThrownBy(() -> loader.next(3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("next(3) of batches of 4 images");
      MultiCropBatch b = loader.next(4);
      assertThatThrownBy(b::shuffle).isInstanceOf(UnsupportedOperationException.class);
      for (Object o : List.of(loader, b)) {
        assertThatThrownBy(() -> new ObjectOutputStream(new ByteArrayOutputStream()).writeObject(o))
            .isInstanceOf(NotSerializableException.class);
      }
    }
  }

  @Test
  void theMemoryOfABatchHeldWhenTheLoaderClosesIsFreedWhenItIsGivenBack() {
    MultiCropLoader loader = loader(16, 4);
    MultiCropBatch held = loader.next();
    loader.close();
    assertThat(held.crops(0).sumNumber().doubleValue()).isFinite();
    held.close();
    assertThat(held.crops(0).wasClosed()).isTrue();
    held.close();
  }
}
