package org.swav4j.train.features;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.swav4j.data.CounterRandom;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.UnreadableImageException;

/**
 * A random sample of a source, stratified by class: each class has its share of the source's
 * images, rounded up or down, whatever the order in which the source lists them. Images without a
 * label count as one more class, so a source without labels is sampled uniformly.
 *
 * <p>A function of the labels, the size and the seed: the same images in every run and on every
 * machine. They stay in the source's order. Thread-safe where the source is.
 */
public final class Sample implements ImageSource {
  /** Unless told otherwise, the same for every run: figures of two runs are of the same images. */
  private static final long SEED = 0;

  /** In the place of an epoch, which is never negative: no crop draws the same numbers. */
  private static final long STREAM = -2;

  private final ImageSource source;
  private final int[] indices;

  private Sample(ImageSource source, int[] indices) {
    this.source = source;
    this.indices = indices;
  }

  /** At most so many images, all of them if there are no more. */
  public static Sample of(ImageSource source, int atMost) {
    return of(source, atMost, SEED);
  }

  /** Another seed draws other images. */
  public static Sample of(ImageSource source, int atMost, long seed) {
    return stratified(source, i -> true, atMost, seed);
  }

  /** At most so many of the images that have a label. */
  public static Sample labelled(ImageSource source, int atMost) {
    return labelled(source, atMost, SEED);
  }

  /** Another seed draws other images. */
  public static Sample labelled(ImageSource source, int atMost, long seed) {
    return stratified(source, i -> source.label(i) >= 0, atMost, seed);
  }

  /**
   * A share of the labelled images of each class, rounded, and at least one: the few labels of
   * semi-supervised learning. A larger share holds a smaller one.
   *
   * @param share above 0, up to 1
   * @throws IllegalArgumentException if the share is another
   */
  public static Sample share(ImageSource source, double share, long seed) {
    if (!(share > 0 && share <= 1)) {
      throw new IllegalArgumentException(
          "a share of " + share + " of the labels, expected above 0 and up to 1 (all of them)");
    }
    Map<Integer, List<Integer>> classes = classes(source, i -> source.label(i) >= 0);
    int[] quotas =
        classes.values().stream()
            .mapToInt(members -> (int) Math.max(1, Math.round(share * members.size())))
            .toArray();
    return drawn(source, classes, quotas, seed);
  }

  private static Sample stratified(ImageSource source, IntPredicate wanted, int atMost, long seed) {
    int[] all = IntStream.range(0, source.size()).filter(wanted).toArray();
    if (all.length <= atMost) {
      return new Sample(source, all);
    }
    Map<Integer, List<Integer>> classes = classes(source, wanted);
    int[] sizes = classes.values().stream().mapToInt(List::size).toArray();
    return drawn(source, classes, quotas(sizes, atMost), seed);
  }

  private static Map<Integer, List<Integer>> classes(ImageSource source, IntPredicate wanted) {
    Map<Integer, List<Integer>> classes = new TreeMap<>();
    IntStream.range(0, source.size())
        .filter(wanted)
        .forEach(i -> classes.computeIfAbsent(source.label(i), c -> new ArrayList<>()).add(i));
    return classes;
  }

  private static Sample drawn(
      ImageSource source, Map<Integer, List<Integer>> classes, int[] quotas, long seed) {
    IntStream.Builder chosen = IntStream.builder();
    int c = 0;
    for (Map.Entry<Integer, List<Integer>> members : classes.entrySet()) {
      CounterRandom random = new CounterRandom(seed, STREAM, members.getKey(), 0);
      draw(members.getValue(), quotas[c++], random).forEach(chosen::add);
    }
    return new Sample(source, chosen.build().sorted().toArray());
  }

  /** How many of each class: its exact share rounded down, and one more for the largest rests. */
  static int[] quotas(int[] sizes, int wanted) {
    long total = Arrays.stream(sizes).asLongStream().sum();
    int[] quotas = Arrays.stream(sizes).map(n -> (int) ((long) n * wanted / total)).toArray();
    int left = wanted - Arrays.stream(quotas).sum();
    IntStream.range(0, sizes.length)
        .boxed()
        .sorted(Comparator.comparingLong(i -> -((long) sizes[i] * wanted % total)))
        .limit(left)
        .forEach(i -> quotas[i]++);
    return quotas;
  }

  /** The first steps of a Fisher-Yates shuffle, so a larger sample holds a smaller one. */
  private static List<Integer> draw(List<Integer> from, int count, CounterRandom random) {
    for (int i = 0; i < count; i++) {
      int j = i + random.nextInt(from.size() - i);
      from.set(j, from.set(i, from.get(j)));
    }
    return from.subList(0, count);
  }

  /** Which image of the source an image is that was drawn. */
  public int original(int index) {
    return indices[index];
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public int size() {
    return indices.length;
  }

  @Override
  public int channels() {
    return source.channels();
  }

  @Override
  public Image read(int index, int atLeast) throws UnreadableImageException {
    return source.read(indices[index], atLeast);
  }

  @Override
  public int label(int index) {
    return source.label(indices[index]);
  }

  @Override
  public List<String> classes() {
    return source.classes();
  }

  @Override
  public String describe(int index) {
    return source.describe(indices[index]);
  }

  @Override
  public Optional<String> relativePath(int index) {
    return source.relativePath(indices[index]);
  }

  /** Of the source that it is drawn from. */
  @Override
  public String digest() {
    return source.digest();
  }
}
