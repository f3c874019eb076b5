package org.swav4j.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageFormatTest {
  @ParameterizedTest
  @CsvSource({
    "\\xff\\xd8\\xff\\xe0, JPEG",
    "\\x89PNG\\x0d\\x0a\\x1a\\x0a, PNG",
    "BM....\\x00\\x00\\x00\\x006\\x00\\x00\\x00\\x28\\x00\\x00\\x00, BMP",
    "P1\\x0a, PNM",
    "P6\\x0a2 2, PNM",
    "P5#, PNM",
    "RIFF....WEBPVP8X, WEBP",
    "II*\\x00, TIFF",
    "MM\\x00*, TIFF",
    "GIF89a, GIF",
    "....ftypheic....mif1, HEIC",
    "....ftypmif1....mif1avif, AVIF",
    "....ftypmif1....miafMA1B, HEIC",
    "....ftypavif, AVIF",
    "....ftypisom....mp42, ",
    "BM is a text of some length, ",
    "P7\\x0aWIDTH, ",
    "P6x, ",
    "RIFF....WAVEfmt, ",
    "GIF, ",
    "\\xff\\xd8, "
  })
  void contentTellsTheFormat(String head, ImageFormat expected) {
    assertThat(ImageFormat.of(bytes(head)).orElse(null)).isEqualTo(expected);
  }

  private static byte[] bytes(String escaped) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < escaped.length(); i++) {
      if (escaped.startsWith("\\x", i)) {
        text.append((char) Integer.parseInt(escaped.substring(i + 2, i + 4), 16));
        i += 3;
      } else {
        text.append(escaped.charAt(i));
      }
    }
    return text.toString().getBytes(ISO_8859_1);
  }
}
