package org.swav4j.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Optional;

/**
 * A format of image files, recognised by how the content begins. A file's name says nothing here: a
 * JPEG is a JPEG under any name.
 */
public enum ImageFormat {
  /** JPEG, baseline or progressive. */
  JPEG("JPEG", true),
  /** PNG. */
  PNG("PNG", true),
  /** Windows bitmap. */
  BMP("BMP", true),
  /** Netpbm's bit, grey and pixel maps, plain ({@code P1} to {@code P3}) or raw ({@code P4-P6}). */
  PNM("PBM/PGM/PPM", true),
  /** WebP, lossy or lossless; the first frame of an animation. */
  WEBP("WebP", true),
  /** TIFF; the first page. */
  TIFF("TIFF", true),
  /** GIF; the first frame. */
  GIF("GIF", true),
  /** HEIC and its relatives, as phones write them. Recognised so that they can be told of. */
  HEIC("HEIC", false),
  /** AVIF. Recognised so that it can be told of. */
  AVIF("AVIF", false);

  /** Bytes from the start of a file that suffice for {@link #of}. */
  public static final int HEAD = 32;

  private final String label;
  private final boolean readable;

  ImageFormat(String label, boolean readable) {
    this.label = label;
    this.readable = readable;
  }

  /** Whether {@link ImageDecoder} reads it; what it doesn't read it refuses by name. */
  public boolean readable() {
    return readable;
  }

  /** The name that people use, such as {@code WebP}. */
  @Override
  public String toString() {
    return label;
  }

  /**
   * The format of a content, or nothing where it is no image known here.
   *
   * @param head the content or its first {@link #HEAD} bytes; fewer where the file has fewer
   */
  public static Optional<ImageFormat> of(byte[] head) {
    String text = new String(head, 0, Math.min(head.length, HEAD), ISO_8859_1);
    if (text.startsWith("\u00ff\u00d8\u00ff")) {
      return Optional.of(JPEG);
    }
    if (text.startsWith("\u0089PNG\r\n\u001a\n")) {
      return Optional.of(PNG);
    }
    if (isBmp(text)) {
      return Optional.of(BMP);
    }
    if (isPnm(text)) {
      return Optional.of(PNM);
    }
    if (text.startsWith("RIFF") && text.startsWith("WEBP", 8)) {
      return Optional.of(WEBP);
    }
    if (text.startsWith("II*\0") || text.startsWith("MM\0*")) {
      return Optional.of(TIFF);
    }
    if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) {
      return Optional.of(GIF);
    }
    return text.startsWith("ftyp", 4) ? brand(text) : Optional.empty();
  }

  /** Two letters alone begin many a text: the header's size and what follows it must fit too. */
  private static boolean isBmp(String text) {
    if (!text.startsWith("BM") || text.length() < 18) {
      return false;
    }
    int header = text.charAt(14) | text.charAt(15) << 8;
    return text.charAt(16) == 0 && text.charAt(17) == 0 && header >= 12 && header <= 124;
  }

  private static boolean isPnm(String text) {
    return text.length() > 2
        && text.charAt(0) == 'P'
        && text.charAt(1) >= '1'
        && text.charAt(1) <= '6'
        && (Character.isWhitespace(text.charAt(2)) || text.charAt(2) == '#');
  }

  /** ISO 14496-12 and 23008-12: the major brand, or the first compatible ones of a general one. */
  private static Optional<ImageFormat> brand(String text) {
    for (int at = 8; at + 4 <= text.length(); at += at == 8 ? 8 : 4) {
      switch (text.substring(at, at + 4)) {
        case "avif", "avis" -> {
          return Optional.of(AVIF);
        }
        case "heic", "heix", "heim", "heis", "hevc", "hevx" -> {
          return Optional.of(HEIC);
        }
        default -> {
          // mif1 and msf1 are general brands: the compatible ones tell
        }
      }
    }
    return text.startsWith("mif1", 8) || text.startsWith("msf1", 8)
        ? Optional.of(HEIC)
        : Optional.empty();
  }
}
