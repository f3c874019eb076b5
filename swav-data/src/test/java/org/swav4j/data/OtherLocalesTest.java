package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers in messages and names are digits with a decimal point wherever the program runs. */
class OtherLocalesTest {
  private static final Pattern FOREIGN = Pattern.compile("[^\\x00-\\x7F]|\\d,\\d");

  private final Locale before = Locale.getDefault();

  @AfterEach
  void restore() {
    Locale.setDefault(before);
  }

  private static String message(Callable<?> refused) {
    try {
      throw new AssertionError("not refused: " + refused.call());
    } catch (Exception e) {
      return e.getMessage();
    }
  }

  /** Messages of all kinds: whole numbers, decimals and hexadecimal ones. */
  private static List<String> messages() {
    List<String> all = new ArrayList<>();
    all.add(message(() -> new CropSpec(1, 224, 0.5, 0.25)));
    all.add(message(() -> new CropSpec(1, 12345, 0.5, 0.75)));
    all.add(message(() -> Augmentation.official().withBlur(0.5, 2.5, 1.5)));
    all.add(message(() -> Augmentation.official().withRatio(1.5, 0.5)));
    all.add(message(() -> new Image(3, 4, 3, new byte[7])));
    all.add(message(() -> new Normalisation(List.of(0.5, 0.5), List.of(0.5))));
    all.add(message(() -> ImageOps.resizedCrop(FakeSource.noise(1, 5, 6, 1), 3, 3, 4, 4, 2, 2)));
    all.add(message(() -> ShapesSource.open(12, 4000, 1)));
    all.add(message(() -> ShapesSource.open(20_000_000)));
    all.add(message(() -> DataSpec.parse("shapes:12").open(4)));
    all.add(
        message(
            () ->
                new MultiCropLoader(
                    FakeSource.grey(20),
                    List.of(CropSpec.large(2, 16)),
                    Augmentation.official(),
                    new Normalisation(List.of(0.5), List.of(0.25)),
                    2100,
                    0,
                    1)));
    all.add(
        message(() -> ImageDecoder.decode("huge.png", TestImages.hugePng(20_000, 10_000), 3, 100)));
    all.add(DataSpec.parse("shapes:1234").toString());
    all.add(ShapesSource.open(12).train().name());
    SkippedImages skipped = new SkippedImages();
    for (int i = 0; i < 1234; i++) {
      skipped.add("image " + i, "broken");
    }
    all.add(skipped.summary());
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG-u-nu-arab", "de-DE", "hi-IN-u-nu-deva", "tr-TR"})
  void messagesAreTheSameInEveryLocale(String tag) {
    Locale.setDefault(Locale.ROOT);
    List<String> expected = messages();
    Locale.setDefault(Locale.forLanguageTag(tag));
    assertThat(messages()).isEqualTo(expected).noneMatch(m -> FOREIGN.matcher(m).find());
  }

  /** Turkish has a dotless i: IDX in lower case isn't idx there. */
  @Test
  void formatsAreNamedTheSameInTurkish() {
    Locale.setDefault(Locale.forLanguageTag("tr-TR"));
    assertThat(DataSpec.parse("idx:some/where"))
        .isEqualTo(new DataSpec(DataSpec.Kind.IDX, Path.of("some/where"), 0))
        .hasToString("idx:some/where");
  }
}
