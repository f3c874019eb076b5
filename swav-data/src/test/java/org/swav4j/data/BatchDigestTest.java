package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Batches for a given seed and epoch stay the same, bit for bit, from release to release: a run
 * that is resumed with a newer one goes on with the same crops. The digests were taken from release
 * 0.1's first loader. A change of the window's {@code exp} and {@code log} by one unit in the last
 * place, as another processor's libm may bring, is too small to move a window's whole pixels.
 */
class BatchDigestTest {
  private static final Normalisation GREY = new Normalisation(List.of(0.45), List.of(0.22));

  private static List<CropSpec> crops(String name) {
    return switch (name) {
      case "quick" -> List.of(new CropSpec(2, 32, 0.3, 1), new CropSpec(4, 16, 0.2, 0.6));
      case "small-images" -> List.of(new CropSpec(2, 32, 0.3, 1), new CropSpec(4, 16, 0.1, 0.3));
      default -> List.of(CropSpec.large(2, 224), CropSpec.small(6, 96));
    };
  }

  private static Augmentation augmentation(String name) {
    return switch (name) {
      case "official" -> Augmentation.official();
      case "solarise" -> Augmentation.official().withSolarise(0.3).withRatio(0.5, 2);
      case "none" -> Augmentation.none();
      default -> Augmentation.smallImages();
    };
  }

  private static String digest(
      ImageSource source, List<CropSpec> crops, Augmentation augmentation, int batch, int workers)
      throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    Normalisation normalisation = source.channels() == 3 ? Normalisation.imageNet() : GREY;
    try (MultiCropLoader loader =
        new MultiCropLoader(source, crops, augmentation, normalisation, batch, 17, workers)) {
      for (int epoch : new int[] {0, 3}) {
        for (MultiCropBatch b : loader.epoch(epoch)) {
          try (b) {
            for (int index : b.indices()) {
              digest.update((byte) index);
            }
            for (int g = 0; g < b.groups(); g++) {
              float[] values = b.crops(g).dup().data().asFloat();
              ByteBuffer bytes =
                  ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
              bytes.asFloatBuffer().put(values);
              digest.update(bytes);
            }
          }
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 8);
  }

  @ParameterizedTest
  @CsvSource({
    "quick, small, 3, 7078973ed612cccf",
    "quick, small, 1, 41c7d75a8b1ff343",
    "small-images, small, 3, 45d30de0b3decfc4",
    "small-images, small, 1, c00387b58b832ec2",
    "imagenet, official, 3, 8b41c0540b44f203",
    "imagenet, official, 1, 3008ef02859cd0e9",
    "small-images, solarise, 3, 77d9871e9a88e650",
    "small-images, solarise, 1, ae288bbceb88ddc9",
    "quick, none, 3, 05b5dcc03b02ca75",
  })
  void batchesStayTheSame(String crops, String augmentation, int channels, String expected)
      throws Exception {
    int images = crops.equals("imagenet") ? 6 : 40;
    ImageSource source = DataSpec.parse("shapes:" + images).open(channels).train();
    assertThat(digest(source, crops(crops), augmentation(augmentation), images / 3, 2))
        .isEqualTo(expected);
  }

  /** Images of many shapes, all readable or some of them not. */
  @ParameterizedTest
  @CsvSource({
    "3, false, b2834653af5d3061",
    "1, false, c36821ba40cbe901",
    "3, true, 52c7e382d45a4411",
    "1, true, a9ca42a7bda0ac4c",
  })
  void batchesOfImagesOfManyShapesStayTheSame(int channels, boolean broken, String expected)
      throws Exception {
    FakeSource whole = channels == 3 ? FakeSource.colour(40) : FakeSource.grey(40);
    FakeSource source = broken ? whole.without(3, 4, 39) : whole;
    List<CropSpec> crops = List.of(new CropSpec(2, 40, 0.14, 1), new CropSpec(3, 17, 0.05, 0.14));
    assertThat(digest(source, crops, Augmentation.official().withSolarise(0.2), 8, 2))
        .isEqualTo(expected);
  }
}
