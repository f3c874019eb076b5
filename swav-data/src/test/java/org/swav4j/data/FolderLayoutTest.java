package org.swav4j.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a folder is taken for, and that it is said. */
class FolderLayoutTest {
  @TempDir Path folder;

  private void images(String... files) {
    for (String file : files) {
      TestImages.write(folder.resolve(file), new byte[] {1}); // layout never opens a .png
    }
  }

  private DataSets split() {
    return FolderSource.split(folder, 3);
  }

  private static List<String> paths(ImageSource source) {
    return IntStream.range(0, source.size())
        .mapToObj(i -> source.relativePath(i).orElseThrow())
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "train, test",
    "Train, Val",
    "TRAINING, Testing",
    "train, dev",
    "trn, tst",
    "train_images, valid-images",
    "trainset, testset",
    "train2017, val2017",
    "seg_train, seg_test",
    "Training Set, Validation Set",
    "train, eval"
  })
  void commonNamesOfPartsAreKnown(String train, String test) {
    images(train + "/a/1.png", train + "/b/2.png", test + "/b/3.png", test + "/a/4.png");
    DataSets sets = split();
    assertThat(paths(sets.train())).containsExactly(train + "/a/1.png", train + "/b/2.png");
    assertThat(paths(sets.test())).containsExactly(test + "/a/4.png", test + "/b/3.png");
    assertThat(sets.train().classes()).containsExactly("a", "b");
    assertThat(sets.layout())
        .containsExactly(
            "parts %s (2 images) and %s (2 images) of %s; 2 classes of 1 image (a, b)"
                .formatted(train, test, folder));
  }

  @ParameterizedTest
  @CsvSource({"train, car", "training shoes, test tubes", "trainer, contest", "bus, latest"})
  void otherFoldersAreClasses(String one, String other) {
    images(one + "/1.png", other + "/2.png");
    assertThat(split().train().classes()).containsExactlyInAnyOrder(one, other);
  }

  @Test
  void theLabelledPartIsTestedWithAndTheOtherIsNamed() {
    images("train/a/1.png", "train/b/2.png", "val/a/3.png", "test/4.png", "test/5.png");
    DataSets sets = split();
    assertThat(paths(sets.test())).containsExactly("val/a/3.png");
    assertThat(sets.test().label(0)).isZero();
    assertThat(sets.leftOut()).containsExactly("not used: test (2 images without labels)");
    assertThat(sets.layout().get(1)).contains("classes without test images in val: b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"train/1.png", "train/all/1.png"})
  void labelsOfTestImagesAreKeptWhereThoseToLearnFromHaveNone(String learned) {
    images(learned, "test/cat/2.png", "test/dog/3.png");
    DataSets sets = split();
    assertThat(sets.train().label(0)).isEqualTo(-1);
    assertThat(sets.test().classes()).containsExactly("cat", "dog");
    assertThat(sets.test().label(1)).isEqualTo(1);
    assertThat(sets.layout())
        .singleElement()
        .asString()
        .contains("2 classes of 1 image (cat, dog) to test with; no labels: train has");
  }

  @Test
  void classesOfOnePartOnlyAreNamedWithThoseThatTheyResemble() {
    images("train/circle/1.png", "train/red_square/2.png", "train/x/3.png");
    images("val/Circle/3.png", "val/red square/4.png", "val/y/5.png", "val/x/6.png");
    DataSets sets = split();
    assertThat(sets.layout().get(1)).endsWith("in val: circle, red_square");
    assertThat(sets.layout().get(2))
        .contains("no training image has: Circle, red square, y")
        .endsWith("Circle and circle, red square and red_square?");
  }

  @Test
  void oneFolderAtTheTopIsNamedWithTheOneToGive() {
    images("data/images/circle/1.png", "data/images/square/2.png");
    DataSets sets = split();
    assertThat(sets.test().size()).isZero();
    assertThat(sets.layout().get(0))
        .contains("one folder at the top", "no classes")
        .contains("folder:" + folder + "/data/images to have circle, square");
  }

  @Test
  void partsThatAreNotCalledSoAreSuspected() {
    images("lernen/a/1.png", "lernen/b/2.png", "pruefen/a/3.png", "pruefen/b/4.png");
    assertThat(split().layout())
        .anyMatch(n -> n.contains("lernen, pruefen") && n.contains("parts"));
    images("cats/1.png");
    assertThat(split().layout()).noneMatch(n -> n.contains("are they parts"));
  }

  @Test
  void anImageIsHeldOutByTheHashOfItsPathAlone() throws Exception {
    for (int i = 0; i < 1000; i++) {
      images("cats/" + i + ".png", "dögs/" + i + ".png");
    }
    DataSets sets = split();
    List<String> held = paths(sets.test());
    List<String> expected = new ArrayList<>();
    List<String> all = new ArrayList<>(paths(sets.train()));
    all.addAll(held);
    for (String path : all) {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(path.getBytes(UTF_8));
      BigInteger first = new BigInteger(1, Arrays.copyOf(digest, 8));
      if (first.doubleValue() / Math.pow(2, 64) < 0.2) {
        expected.add(path);
      }
    }
    assertThat(held).hasSameElementsAs(expected).hasSizeBetween(330, 470);
    assertThat(all).hasSize(2000).doesNotHaveDuplicates();

    images("cats/new.png", "apes/1.png");
    Files.delete(folder.resolve("cats/7.png"));
    List<String> after = new ArrayList<>(paths(split().test()));
    after.removeAll(List.of("cats/new.png", "apes/1.png"));
    expected.remove("cats/7.png");
    assertThat(after).hasSameElementsAs(expected);

    assertThat(FolderSource.split(folder, 3, 0).test().size()).isZero();
    assertThat(FolderSource.split(folder, 3, 0.5).test().size()).isBetween(900, 1100);
    assertThatThrownBy(() -> FolderSource.split(folder, 3, 0.6)).hasMessageContaining("0.6");
  }

  @Test
  void bothPartsTogetherAreInTheOrderOfThePaths() {
    for (int i = 10; i < 60; i++) {
      images("cats/" + i + ".png", "dogs/" + i + ".png");
    }
    DataSets sets = split();
    JoinedSource joined = new JoinedSource(sets);
    assertThat(paths(joined)).hasSize(100).isSorted();
    assertThat(IntStream.range(0, 100).filter(joined::isTest).count())
        .isEqualTo(sets.test().size())
        .isPositive();
    for (int i = 0; i < 100; i++) {
      ImageSource part = joined.isTest(i) ? sets.test() : sets.train();
      assertThat(paths(part)).contains(paths(joined).get(i));
      assertThat(joined.classes().get(joined.label(i)))
          .isEqualTo(paths(joined).get(i).substring(0, 4));
    }
    DataSets shapes = ShapesSource.open(20);
    JoinedSource generated = new JoinedSource(shapes);
    assertThat(generated.isTest(19)).isFalse();
    assertThat(generated.isTest(20)).isTrue();
    assertThat(generated.describe(20)).isEqualTo(shapes.test().describe(0));
  }

  @Test
  void theDigestStaysWhenTheFolderMovesAndChangesWithAnyFile() throws Exception {
    images("x/a/1.png", "x/b/2.png", "x/b/note.txt");
    String digest = FolderSource.open(folder.resolve("x"), 3).digest();
    assertThat(digest).matches("[0-9a-f]{64}");
    assertThat(FolderSource.open(folder.resolve("x"), 1).digest()).isEqualTo(digest);
    Files.move(folder.resolve("x"), folder.resolve("y"));
    assertThat(FolderSource.open(folder.resolve("y"), 3).digest()).isEqualTo(digest);
    List<String> different = new ArrayList<>(List.of(digest));
    TestImages.write(folder.resolve("y/a/1.png"), new byte[2]);
    different.add(FolderSource.open(folder.resolve("y"), 3).digest());
    images("y/a/3.png");
    different.add(FolderSource.open(folder.resolve("y"), 3).digest());
    Files.move(folder.resolve("y/a/3.png"), folder.resolve("y/a/4.png"));
    different.add(FolderSource.open(folder.resolve("y"), 3).digest());
    Files.delete(folder.resolve("y/b/2.png"));
    different.add(FolderSource.open(folder.resolve("y"), 3).digest());
    assertThat(different).doesNotHaveDuplicates();
    assertThat(ShapesSource.open(20).train().digest())
        .isEqualTo(ShapesSource.open(20).train().digest())
        .isNotEqualTo(ShapesSource.open(21).train().digest())
        .isNotEqualTo(ShapesSource.open(20, 32, 1).train().digest());
  }
}
