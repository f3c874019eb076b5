package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MultiCropLoaderTest {
  private static final List<CropSpec> SPECS = List.of(CropSpec.large(2, 16), CropSpec.small(3, 9));
  private static final Normalisation GREY = new Normalisation(List.of(0.5), List.of(0.25));

  private static MultiCropLoader loader(ImageSource source, int batch, long seed, int workers) {
    return new MultiCropLoader(
        source,
        SPECS,
        Augmentation.official(),
        source.channels() == 3 ? Normalisation.imageNet() : GREY,
        batch,
        seed,
        workers);
  }

  /** One batch's numbers, copied out. */
  private record Copy(List<Integer> indices, float[] large, float[] small) {
    static Copy of(MultiCropBatch b) {
      try (b) {
        return new Copy(
            Arrays.stream(b.indices()).boxed().toList(),
            b.crops(0).dup().data().asFloat(),
            b.crops(1).dup().data().asFloat());
      }
    }

    static List<Copy> all(MultiCropLoader loader, int epoch) {
      List<Copy> copies = new ArrayList<>();
      for (MultiCropBatch b : loader.epoch(epoch)) {
        copies.add(of(b));
      }
      return copies;
    }
  }

  private static void assertSame(List<Copy> actual, List<Copy> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i).indices()).isEqualTo(expected.get(i).indices());
      assertThat(actual.get(i).large()).isEqualTo(expected.get(i).large());
      assertThat(actual.get(i).small()).isEqualTo(expected.get(i).small());
    }
  }

  @Test
  void anyNumberOfWorkersGivesTheSameBytes() {
    FakeSource source = FakeSource.colour(43).without(3, 4, 20);
    List<Copy> expected;
    try (MultiCropLoader one = loader(source, 8, 5, 1)) {
      expected = Copy.all(one, 2);
    }
    assertThat(expected).hasSize(5);
    for (int workers : new int[] {2, 8}) {
      try (MultiCropLoader many = loader(source, 8, 5, workers)) {
        assertSame(Copy.all(many, 2), expected);
      }
    }
  }

  @Test
  void anEpochDoesNotDependOnThoseBeforeIt() {
    try (MultiCropLoader straight = loader(FakeSource.colour(20), 4, 1, 2);
        MultiCropLoader jumping = loader(FakeSource.colour(20), 4, 1, 2)) {
      List<Copy> zero = Copy.all(straight, 0);
      List<Copy> one = Copy.all(straight, 1);
      assertSame(Copy.all(jumping, 1), one);
      Copy.of(jumping.epoch(7).iterator().next());
      assertSame(Copy.all(jumping, 0), zero);
      assertSame(Copy.all(jumping, 0), zero);
      assertThat(zero.get(0).indices()).isNotEqualTo(one.get(0).indices());
    }
  }

  @Test
  void anEpochHoldsEachImageAtMostOnceAndDropsTheRest() {
    try (MultiCropLoader loader = loader(FakeSource.grey(23), 5, 1, 2)) {
      assertThat(loader.batchesPerEpoch()).isEqualTo(4);
      for (int epoch = 0; epoch < 3; epoch++) {
        List<Integer> seen =
            Copy.all(loader, epoch).stream().flatMap(c -> c.indices().stream()).toList();
        assertThat(seen).hasSize(20).doesNotHaveDuplicates();
      }
    }
  }

  @Test
  void everyCropIsTheRenderersForItsCounters() throws Exception {
    FakeSource source = FakeSource.colour(12);
    CropRenderer renderer = new CropRenderer(Augmentation.official(), Normalisation.imageNet());
    try (MultiCropLoader loader = loader(source, 4, 77, 2)) {
      MultiCropBatch b = loader.epoch(3).iterator().next();
      assertThat(b.groups()).isEqualTo(2);
      assertThat(b.crops(0).shape()).containsExactly(8, 3, 16, 16);
      assertThat(b.crops(1).shape()).containsExactly(12, 3, 9, 9);
      for (int view = 0; view < 5; view++) {
        int group = view < 2 ? 0 : 1;
        int crop = view < 2 ? view : view - 2;
        for (int row = 0; row < b.size(); row++) {
          int index = b.indices()[row];
          float[] expected =
              renderer.render(
                  source.read(index, 1), SPECS.get(group), new CounterRandom(77, 3, index, view));
          float[] actual = b.crops(group).slice(crop * 4L + row).dup().data().asFloat();
          assertThat(actual).isEqualTo(expected);
        }
      }
      b.close();
    }
  }

  @Test
  void unreadableImagesAreReplacedAndNamedAndTheOthersStayAsTheyAre() {
    FakeSource whole = FakeSource.grey(10);
    try (MultiCropLoader good = loader(whole, 10, 4, 1);
        MultiCropLoader bad = loader(whole.without(2, 9), 10, 4, 2)) {
      Copy expected = Copy.all(good, 0).get(0);
      Copy actual = Copy.all(bad, 0).get(0);
      for (int row = 0; row < 10; row++) {
        int index = expected.indices().get(row);
        if (index == 2 || index == 9) {
          assertThat(actual.indices().get(row)).isNotIn(2, 9);
        } else {
          assertThat(actual.indices().get(row)).isEqualTo(index);
          for (int crop = 0; crop < 2; crop++) {
            int from = (crop * 10 + row) * 16 * 16;
            assertThat(Arrays.copyOfRange(actual.large(), from, from + 256))
                .isEqualTo(Arrays.copyOfRange(expected.large(), from, from + 256));
          }
        }
      }
      assertThat(bad.skipped().count()).isEqualTo(2);
      assertThat(bad.skipped().summary()).contains("noise 2", "noise 9", "broken on purpose");
      assertThat(good.skipped().count()).isZero();
    }
  }

  @Test
  void aBlockOfUnreadableImagesIsReplacedByManyDifferentOnesAndOthersInTheNextEpoch() {
    Integer[] block = IntStream.range(20, 60).boxed().toArray(Integer[]::new);
    try (MultiCropLoader loader = loader(FakeSource.grey(100).without(block), 100, 3, 2)) {
      List<List<Integer>> epochs = new ArrayList<>();
      for (int epoch = 0; epoch < 2; epoch++) {
        List<Integer> used = Copy.all(loader, epoch).get(0).indices();
        Map<Integer, Long> copies =
            used.stream().collect(Collectors.groupingBy(i -> i, Collectors.counting()));
        assertThat(copies.keySet()).as("readable").hasSize(60).doesNotContain(block);
        // 40 draws of 60: of one image five or more with a chance of 0.02
        assertThat(copies.values()).allMatch(n -> n <= 1 + 5);
        epochs.add(used.stream().sorted().toList());
      }
      assertThat(epochs.get(0)).isNotEqualTo(epochs.get(1));
    }
  }

  @Test
  void aSourceWithoutAReadableImageIsAnError() {
    Integer[] all = IntStream.range(0, 6).boxed().toArray(Integer[]::new);
    try (MultiCropLoader loader = loader(FakeSource.grey(6).without(all), 2, 0, 2)) {
      Iterator<MultiCropBatch> batches = loader.epoch(0).iterator();
      assertThatThrownBy(batches::next)
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("no image of noise can be read")
          .hasMessageContaining("6 images skipped");
    }
  }

  @Test
  void aWorkersFailureReachesTheConsumer() {
    ImageSource wrong = // says colour, delivers grey
        new DelegatingSource(FakeSource.grey(8)) {
          @Override
          public int channels() {
            return 3;
          }
        };
    try (MultiCropLoader loader = loader(wrong, 4, 0, 2)) {
      Iterator<MultiCropBatch> batches = loader.epoch(0).iterator();
      assertThatThrownBy(batches::next)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("batch 0 of epoch 0 from noise")
          .hasRootCauseInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aBatchLargerThanTheDataIsRefused() {
    assertThatThrownBy(() -> loader(FakeSource.grey(20), 21, 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("batch 21")
        .hasMessageContaining("20 images");
  }

  @Test
  void aNormalisationForOtherChannelsIsRefused() {
    assertThatThrownBy(
            () ->
                new MultiCropLoader(
                    FakeSource.grey(9),
                    SPECS,
                    Augmentation.official(),
                    Normalisation.imageNet(),
                    2,
                    0,
                    1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 channels but noise has 1");
  }

  @Test
  void holdingEveryBatchIsRefusedInsteadOfWaitingForEver() {
    try (MultiCropLoader loader = loader(FakeSource.grey(20), 2, 0, 1)) {
      Iterator<MultiCropBatch> batches = loader.epoch(0).iterator();
      List<MultiCropBatch> held = List.of(batches.next(), batches.next(), batches.next());
      assertThatThrownBy(batches::next)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("close()");
      held.forEach(MultiCropBatch::close);
      assertThat(batches.next().size()).isEqualTo(2);
    }
  }

  @Test
  void buffersAreAllocatedOnce() {
    try (MultiCropLoader loader = loader(FakeSource.grey(60), 2, 0, 2)) {
      Set<Long> addresses = new TreeSet<>();
      for (MultiCropBatch b : loader.epoch(0)) {
        try (b) {
          addresses.add(b.crops(0).data().address());
        }
      }
      assertThat(addresses).hasSizeBetween(1, 3);
    }
  }

  @Test
  void closingEndsTheThreadsInTheMiddleOfAnEpoch() {
    MultiCropLoader loader = loader(FakeSource.grey(60), 2, 0, 3);
    loader.epoch(0).iterator().next();
    loader.close();
    loader.close();
    assertThat(
            Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(n -> n.startsWith("swav-crops"))
                .collect(Collectors.toList()))
        .isEmpty();
    assertThatThrownBy(() -> loader.epoch(1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void theConsumersWaitIsCounted() {
    ImageSource slow =
        new DelegatingSource(FakeSource.grey(4)) {
          @Override
          public Image read(int index, int atLeast) throws UnreadableImageException {
            try {
              Thread.sleep(20);
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            return super.read(index, atLeast);
          }
        };
    try (MultiCropLoader loader = loader(slow, 4, 0, 1)) {
      assertThat(loader.waitedNanos()).isZero();
      loader.epoch(0).iterator().next().close();
      assertThat(loader.waitedNanos()).isGreaterThan(20_000_000);
    }
  }

  private static class DelegatingSource implements ImageSource {
    private final ImageSource inner;

    DelegatingSource(ImageSource inner) {
      this.inner = inner;
    }

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
}
