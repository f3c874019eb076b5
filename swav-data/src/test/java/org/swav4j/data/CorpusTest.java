package org.swav4j.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of file that is read shows what two independent decoders show, or is refused by name.
 * The corpus and how it was made: {@code src/test/resources/corpus/make.py}.
 */
class CorpusTest {
  /** A line of the manifest. */
  record Entry(String file, String expectation, String tolerance) {
    @Override
    public String toString() {
      return file;
    }
  }

  static Stream<Entry> manifest() throws IOException {
    return new String(resource("manifest.tsv"), UTF_8)
        .lines()
        .map(line -> line.split("\t", -1))
        .map(columns -> new Entry(columns[0], columns[1], columns[2]));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("manifest")
  void isRightOrRefused(Entry entry) throws Exception {
    byte[] bytes = resource("files/" + entry.file());
    if (entry.expectation().startsWith("refused: ")) {
      assertThatThrownBy(() -> decode(entry.file(), bytes))
          .isInstanceOf(UnreadableImageException.class)
          .hasMessageStartingWith(entry.file() + ": ")
          .hasMessageContaining(entry.expectation().substring("refused: ".length()));
      return;
    }
    Image image = decode(entry.file(), bytes);
    BufferedImage right =
        ImageIO.read(CorpusTest.class.getResource("/corpus/right/" + entry.expectation()));
    assertThat(image).hasToString(right.getWidth() + "x" + right.getHeight() + "x3");
    int[] expected =
        right.getRaster().getPixels(0, 0, right.getWidth(), right.getHeight(), (int[]) null);
    int furthest = 0;
    for (int i = 0; i < expected.length; i++) {
      furthest = Math.max(furthest, Math.abs(expected[i] - (image.pixels()[i] & 0xff)));
    }
    assertThat(furthest).isLessThanOrEqualTo(Integer.parseInt(entry.tolerance()));
  }

  private static Image decode(String file, byte[] bytes) throws UnreadableImageException {
    return ImageDecoder.decode(file, bytes, 3, Integer.MAX_VALUE);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = CorpusTest.class.getResourceAsStream("/corpus/" + name)) {
      return in.readAllBytes();
    }
  }
}
