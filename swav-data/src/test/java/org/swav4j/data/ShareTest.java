package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

@Timeout(60)
class ShareTest {
  private static final List<CropPipeline> GROUPS =
      CropPipeline.published(
          List.of(CropSpec.large(2, 16), CropSpec.small(3, 9)), Augmentation.official());

  private static final int BATCH = 12;

  private static MultiCropLoader loader(ImageSource source, Share share) {
    return new MultiCropLoader(source, GROUPS, Normalisation.imageNet(), BATCH, share, 5, 2);
  }

  private static INDArray rows(INDArray crops, long from, long count) {
    return crops.get(NDArrayIndex.interval(from, from + count));
  }

  /** Two images can't be read: the same ones stand in for them. */
  @Test
  void sharesTogetherAreTheWholeBatchesByteForByte() {
    FakeSource source = FakeSource.colour(43).without(3, 20);
    for (int workers : new int[] {1, 2, 3}) {
      int share = BATCH / workers;
      for (int rank = 0; rank < workers; rank++) {
        try (MultiCropLoader whole = loader(source, Share.WHOLE);
            MultiCropLoader part = loader(source, new Share(rank, workers))) {
          assertThat(part.batchesPerEpoch()).isEqualTo(whole.batchesPerEpoch()).isEqualTo(3);
          for (int epoch = 0; epoch < 2; epoch++) {
            var parts = part.epoch(epoch).iterator();
            for (MultiCropBatch all : whole.epoch(epoch)) {
              try (all;
                  MultiCropBatch own = parts.next()) {
                assertThat(own.size()).isEqualTo(share);
                for (int i = 0; i < share; i++) {
                  assertThat(own.indices()[i]).isEqualTo(all.indices()[rank * share + i]);
                }
                for (int g = 0; g < 2; g++) {
                  for (int v = 0; v < GROUPS.get(g).count(); v++) {
                    assertThat(rows(own.crops(g), (long) v * share, share))
                        .isEqualTo(
                            rows(all.crops(g), (long) v * BATCH + (long) rank * share, share));
                  }
                }
              }
            }
            assertThat(parts.hasNext()).isFalse();
          }
        }
      }
    }
  }

  /** Batches are prepared ahead: of the next epoch, too, and of the one after it. */
  @Test
  void aWorkerReadsItsOwnImagesAlone() {
    Set<Integer> everybody = new TreeSet<>();
    for (int rank = 0; rank < 3; rank++) {
      Share share = new Share(rank, 3);
      Set<Integer> read = new ConcurrentSkipListSet<>();
      try (MultiCropLoader loader = loader(new Watched(FakeSource.colour(24), read), share)) {
        loader.epoch(0).forEach(MultiCropBatch::close);
      }
      Set<Integer> due = new TreeSet<>();
      for (int epoch = 0; epoch < 3; epoch++) {
        for (int index : share.of(EpochOrder.of(24, 5, epoch), BATCH)) {
          due.add(index);
          if (epoch == 0) {
            assertThat(read).contains(index);
            everybody.add(index);
          }
        }
      }
      assertThat(due).hasSizeLessThan(24).containsAll(read);
    }
    assertThat(everybody).hasSize(24);
  }

  @Test
  void anEpochBegunInItsMiddleGivesTheSameBatchesAndReadsNoEarlierImage() {
    Set<Integer> read = new ConcurrentSkipListSet<>();
    ImageSource source = FakeSource.colour(24 * 12);
    try (MultiCropLoader whole = loader(source, Share.WHOLE);
        MultiCropLoader late = loader(new Watched(source, read), Share.WHOLE)) {
      late.epoch(0).iterator().next().close();
      read.clear();
      var rest = late.epoch(1, 20).iterator();
      int number = 0;
      for (MultiCropBatch all : whole.epoch(1)) {
        try (all) {
          if (number++ >= 20) {
            try (MultiCropBatch own = rest.next()) {
              assertThat(own.indices()).isEqualTo(all.indices());
              assertThat(own.crops(0)).isEqualTo(all.crops(0));
              assertThat(own.crops(1)).isEqualTo(all.crops(1));
            }
          }
        }
      }
      assertThat(rest.hasNext()).isFalse();
      // Four batches of epoch 1; of other epochs only what was prepared ahead.
      assertThat(read).hasSizeLessThanOrEqualTo((4 + 3 + 3) * BATCH);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> late.epoch(0, 25))
          .withMessage("batch 25 of an epoch, expected 0 to 24");
    }
  }

  /** Notes which images are read. */
  private record Watched(ImageSource inner, Set<Integer> read) implements ImageSource {
    @Override
    public String name() {
      return inner.name();
    }

    @Override
    public int size() {
      return inner.size();
    }

    @Override
    public int channels() {
      return inner.channels();
    }

    @Override
    public Image read(int index, int atLeast) throws UnreadableImageException {
      read.add(index);
      return inner.read(index, atLeast);
    }

    @Override
    public int label(int index) {
      return inner.label(index);
    }

    @Override
    public List<String> classes() {
      return inner.classes();
    }

    @Override
    public String describe(int index) {
      return inner.describe(index);
    }
  }

  @Test
  void aBatchThatCannotBeSharedOutIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> loader(FakeSource.colour(40), new Share(0, 5)))
        .withMessage(
            "`batch` is 12 and there are 5 workers, expected a multiple of them, for each makes as"
                + " many rows of every batch: take 10 or 15");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Share(3, 3))
        .withMessageContaining("worker 3 of 3, expected ranks from 0 to 2");
  }
}
