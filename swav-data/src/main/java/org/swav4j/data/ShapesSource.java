package org.swav4j.data;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Generated colour images of twelve classes, for learning and testing without a download.
 *
 * <p>What an image <em>is</em> - one of two outlines filled with one of six textures - is kept
 * apart from what varies: place, size, stretch and turn of the outline, turn, phase and wavelength
 * of the texture, all colours, background, clutter, light and noise. Images of a class therefore
 * have hardly a pixel in common: neighbours among raw pixels say little about the class, while
 * features that ignore what SwAV's augmentations change say nearly all.
 *
 * <p>Image {@code index} is a function of (seed, part, index) and the same on every machine; its
 * class is {@code index % 12}. Drawn when asked for, from nothing held but a few numbers.
 * Thread-safe.
 */
public final class ShapesSource implements ImageSource {
  /** Images in the train part unless told otherwise. */
  public static final int DEFAULT_SIZE = 10_000;

  /** Side in pixels unless told otherwise: crops of 32 and 16 pixels are about life-size. */
  public static final int DEFAULT_SIDE = 48;

  private static final int LARGEST_SIZE = 10_000_000;
  private static final long DEFAULT_SEED = 2020; // the year of the paper

  /** In the place of a view, so that no crop of any run draws the same numbers. */
  private static final long STREAM = -1;

  private static final int SMALLEST_SIDE = 16; // below, textures are finer than pixels
  private static final int LARGEST_SIDE = 1024;

  private static final List<String> CLASSES =
      List.of(
          "plain disc",
          "striped disc",
          "zigzag disc",
          "checked disc",
          "dotted disc",
          "speckled disc",
          "plain star",
          "striped star",
          "zigzag star",
          "checked star",
          "dotted star",
          "speckled star");

  private static final int TEXTURES = 6;

  private enum Part {
    TRAIN,
    TEST
  }

  private final Part part;
  private final int size;
  private final int side;
  private final long seed;

  private ShapesSource(Part part, int size, int side, long seed) {
    this.part = part;
    this.size = size;
    this.side = side;
    this.seed = seed;
  }

  /**
   * The data set of a given size with the default side and seed, rendered images kept in memory.
   *
   * @param size images in the train part, 1 to 10 million; the test part has a fifth of that, at
   *     least 12
   */
  public static DataSets open(int size) {
    return open(size, DEFAULT_SIDE, DEFAULT_SEED);
  }

  /**
   * A data set of given size, side and seed, rendered images kept in memory while there is room.
   *
   * @param size images in the train part, 1 to 10 million; the test part has a fifth of that, at
   *     least 12
   * @param side of every image, 16 to 1024 pixels
   * @param seed another seed gives other images of the same classes
   * @throws IllegalArgumentException if size or side is out of range
   */
  public static DataSets open(int size, int side, long seed) {
    if (size < 1 || size > LARGEST_SIZE) {
      throw new IllegalArgumentException(
          size + " images of shapes asked for, expected 1 to " + LARGEST_SIZE);
    }
    if (side < SMALLEST_SIDE || side > LARGEST_SIDE) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "shapes with a side of %d pixels, expected %d to %d",
              side,
              SMALLEST_SIDE,
              LARGEST_SIDE));
    }
    int held = Math.max(CLASSES.size(), size / 5);
    return new DataSets(
        cached(new ShapesSource(Part.TRAIN, size, side, seed)),
        cached(new ShapesSource(Part.TEST, held, side, seed)));
  }

  /**
   * What makes up a class: of each factor its name and its value for every class, from 0. Two
   * classes that share a factor's value look alike in it.
   */
  public static Map<String, List<Integer>> factors() {
    Map<String, List<Integer>> factors = new LinkedHashMap<>();
    factors.put("outline", values(label -> label / TEXTURES));
    factors.put("texture", values(label -> label % TEXTURES));
    return Collections.unmodifiableMap(factors);
  }

  private static List<Integer> values(IntUnaryOperator factor) {
    return IntStream.range(0, CLASSES.size()).map(factor).boxed().toList();
  }

  private static ImageSource cached(ShapesSource source) {
    return new CachedSource(source, CachedSource.DEFAULT_BUDGET);
  }

  @Override
  public String name() {
    return "shapes (" + part.name().toLowerCase(Locale.ROOT) + ")";
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public int channels() {
    return 3;
  }

  @Override
  public Image read(int index, int atLeast) {
    int label = label(index);
    CounterRandom random = new CounterRandom(seed, part.ordinal(), index, STREAM);
    return new ShapePainter(side, random).paint(label / TEXTURES, label % TEXTURES);
  }

  @Override
  public int label(int index) {
    return Objects.checkIndex(index, size) % CLASSES.size();
  }

  @Override
  public List<String> classes() {
    return CLASSES;
  }

  @Override
  public String describe(int index) {
    return "image " + Objects.checkIndex(index, size) + " of " + name();
  }

  @Override
  public String digest() {
    return new Fingerprint().add(name()).add(size).add(side).add(seed).hex();
  }
}
