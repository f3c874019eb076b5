package org.swav4j.data;

import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Takes the images of a folder apart: into a part to learn from and a part to test with, and into
 * classes by the first directory; and says what was taken for what.
 *
 * <p>Two directories named like parts, such as {@code Train} and {@code val}, are the parts. Else a
 * share of the images of the classes is held out: those for which the first 64 bits of the SHA-256
 * of the path, as a fraction of 2^64, are below it. So each image's part depends on nothing but its
 * own path, and adding an image moves no other.
 */
final class FolderLayout {
  /** Names of parts, without what {@link #role} takes off. */
  private static final Set<String> TRAIN = Set.of("train", "training", "trn");

  /** The first is preferred where several hold test images. */
  private static final List<String> TEST =
      List.of(
          "test",
          "testing",
          "tst",
          "val",
          "valid",
          "validation",
          "dev",
          "devel",
          "development",
          "eval",
          "evaluation");

  private static final Set<String> BESIDE_ROLE =
      Set.of("set", "images", "image", "imgs", "img", "data", "dataset", "split", "part", "seg");

  private static final int NAMED = 8;

  private final Path folder;
  private final String name;
  private final FileNames images;
  private final double holdout;

  /** Images below each first directory, in the order of the names. */
  private final Map<String, Integer> tops;

  private final List<String> notes = new ArrayList<>();
  private final List<String> leftOut = new ArrayList<>();

  private FolderLayout(Path folder, FileNames images, double holdout) {
    this.folder = folder;
    this.name = FileNames.text(folder);
    this.images = images;
    this.holdout = holdout;
    this.tops = tops(images);
  }

  /**
   * Two parts, with notes on the layout and on what is left out.
   *
   * @param holdout share of images that is held out where the folder has no parts, 0 to 0.5
   */
  static DataSets of(Path folder, FolderListing listing, int channels, double holdout) {
    FolderLayout layout = new FolderLayout(folder, listing.images(), holdout);
    DataSets sets = layout.split(channels);
    layout.leftOut.addAll(listing.leftOut().sentences());
    return new DataSets(sets.train(), sets.test(), layout.notes, layout.leftOut);
  }

  /** Names of the classes: the first directories, unless there are fewer than two. */
  static List<String> classes(FileNames images) {
    Set<String> classes = new TreeSet<>(tops(images).keySet());
    classes.remove("");
    return classes.size() < 2 ? List.of() : List.copyOf(classes);
  }

  private static Map<String, Integer> tops(FileNames images) {
    Map<String, Integer> tops = new TreeMap<>();
    String top = null;
    for (int i = 0; i < images.size(); i++) {
      if (top == null || !images.sameTop(i, i - 1)) {
        top = images.top(i);
      }
      tops.merge(top, 1, Integer::sum);
    }
    return tops;
  }

  private DataSets split(int channels) {
    Optional<String> train =
        tops.keySet().stream().filter(t -> TRAIN.contains(role(t))).findFirst();
    List<String> tests = new ArrayList<>();
    for (String role : TEST) {
      tops.keySet().stream().filter(t -> role(t).equals(role)).forEach(tests::add);
    }
    return train.isPresent() && !tests.isEmpty()
        ? parts(train.get(), tests, channels)
        : heldOut(train, tests, channels);
  }

  /**
   * What a directory's name says of the part that it holds: letters in lower case, without numbers
   * and words such as {@code set} that stand beside it: {@code train} for {@code Train_Images},
   * {@code test} for {@code testset}, {@code val} for {@code val2017}.
   */
  private static String role(String directory) {
    String letters = directory.toLowerCase(Locale.ROOT).replaceAll("[^a-z]+", " ").strip();
    List<String> words =
        List.of(letters.split(" ")).stream().filter(w -> !BESIDE_ROLE.contains(w)).toList();
    if (words.size() != 1) {
      return "";
    }
    String word = words.get(0);
    for (String beside : BESIDE_ROLE) {
      String rest =
          word.endsWith(beside) ? word.substring(0, word.length() - beside.length()) : word;
      if (TRAIN.contains(rest) || TEST.contains(rest)) {
        return rest;
      }
    }
    return word;
  }

  // --- Parts that the folder has ---

  private DataSets parts(String train, List<String> tests, int channels) {
    FileNames learned = images.in(train);
    Map<String, Integer> learnedTops = tops(learned);
    learnedTops.remove("");
    boolean labelled = learnedTops.size() >= 2;
    String test = chosen(tests, labelled ? learnedTops.keySet() : Set.of());
    FileNames tested = images.in(test);
    Map<String, Integer> testedTops = tops(tested);
    testedTops.remove("");

    boolean testsAlone = !labelled && testedTops.size() >= 2;
    Set<String> union = new TreeSet<>();
    if (labelled) {
      union.addAll(learnedTops.keySet());
    }
    if (labelled || testsAlone) {
      union.addAll(testedTops.keySet());
    }
    List<String> classes = List.copyOf(union);
    notes.add(
        String.format(
            Locale.ROOT,
            "parts %s (%s) and %s (%s) of %s; %s",
            train,
            images(learned.size()),
            test,
            images(tested.size()),
            name,
            labelled
                ? classesOf(learnedTops)
                    + (testedTops.isEmpty() ? "; the images of " + test + " have no labels" : "")
                : (testsAlone
                        ? classesOf(testedTops) + " to test with; no labels: "
                        : "no classes: ")
                    + train
                    + (learnedTops.isEmpty() ? " has no folders in it" : " has one folder in it")
                    + ", expected one per class"));
    if (labelled) {
      noteClasses(learnedTops.keySet(), test, testedTops.keySet());
    }
    noteUnused(train, test);
    return new DataSets(
        new FolderSource(new FolderSplit(folder.resolve(train), learned), train, channels, classes),
        new FolderSource(new FolderSplit(folder.resolve(test), tested), test, channels, classes));
  }

  /** The first with a class that is learned; else the first with folders in it; else the first. */
  private String chosen(List<String> tests, Set<String> learned) {
    String labelled = null;
    for (String test : tests) {
      Set<String> classes = tops(images.in(test)).keySet();
      if (classes.stream().anyMatch(learned::contains)) {
        return test;
      }
      if (labelled == null && classes.stream().anyMatch(c -> !c.isEmpty())) {
        labelled = test;
      }
    }
    return labelled == null ? tests.get(0) : labelled;
  }

  private void noteClasses(Set<String> learned, String test, Set<String> tested) {
    Set<String> untested = new LinkedHashSet<>(learned);
    untested.removeAll(tested);
    Set<String> unlearned = new LinkedHashSet<>(tested);
    unlearned.removeAll(learned);
    if (!tested.isEmpty() && !untested.isEmpty()) {
      notes.add("warning: classes without test images in " + test + ": " + named(untested));
    }
    if (!unlearned.isEmpty()) {
      Map<String, String> plain = new TreeMap<>();
      learned.forEach(c -> plain.put(plain(c), c));
      List<String> alike =
          unlearned.stream()
              .filter(c -> plain.containsKey(plain(c)))
              .map(c -> c + " and " + plain.get(plain(c)))
              .limit(NAMED)
              .toList();
      notes.add(
          "warning: classes of "
              + test
              + " that no training image has: "
              + named(unlearned)
              + ", which counts as wrong"
              + (alike.isEmpty()
                  ? ""
                  : "; are they the same but for the spelling: " + String.join(", ", alike) + "?"));
    }
  }

  /** A name without what people take for a detail: case, accents' encoding, spaces and dashes. */
  private static String plain(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFKC)
        .toLowerCase(Locale.ROOT)
        .replaceAll("[\\s_-]+", "");
  }

  private void noteUnused(String train, String test) {
    List<String> unused =
        tops.entrySet().stream()
            .filter(e -> !e.getKey().equals(train) && !e.getKey().equals(test))
            .map(
                e ->
                    (e.getKey().isEmpty() ? "beside the folders" : e.getKey())
                        + " ("
                        + images(e.getValue())
                        + (TEST.contains(role(e.getKey()))
                                && tops(images.in(e.getKey())).keySet().equals(Set.of(""))
                            ? " without labels"
                            : "")
                        + ")")
            .toList();
    if (!unused.isEmpty()) {
      leftOut.add("not used: " + String.join(", ", unused));
    }
  }

  // --- No parts ---

  private DataSets heldOut(Optional<String> train, List<String> tests, int channels) {
    List<String> classes = classes(images);
    boolean[] held = new boolean[images.size()];
    if (!classes.isEmpty()) {
      for (int i = 0; i < held.length; i++) {
        held[i] = !images.isBeside(i) && isHeldOut(images.name(i), holdout);
      }
    }
    FileNames kept = images.where(i -> !held[i]);
    FileNames test = images.where(i -> held[i]);
    if (classes.isEmpty()) {
      noteNoClasses();
    } else {
      noteHeldOut(classes, kept, test);
      noteLooksLikeParts(train, tests);
    }
    return new DataSets(
        new FolderSource(new FolderSplit(folder, kept), "", channels, classes),
        new FolderSource(new FolderSplit(folder, test), "", channels, classes));
  }

  /** Whether the first 64 bits of the path's SHA-256, as a fraction, are below the share. */
  static boolean isHeldOut(byte[] path, double share) {
    return (Fingerprint.first(path) >>> 11) * 0x1.0p-53 < share;
  }

  private void noteNoClasses() {
    Map<String, Integer> inside = new LinkedHashMap<>(tops);
    Integer beside = inside.remove("");
    if (inside.isEmpty()) {
      notes.add(
          "all "
              + images(images.size())
              + " lie in "
              + name
              + " itself, so there are no classes: sort them into one folder per class to have"
              + " some");
      return;
    }
    String top = inside.keySet().iterator().next();
    StringBuilder path = new StringBuilder(name).append('/').append(top);
    FileNames below = images.in(top);
    Map<String, Integer> next = tops(below);
    while (next.size() == 1 && !next.containsKey("")) {
      String only = next.keySet().iterator().next();
      path.append('/').append(only);
      below = below.in(only);
      next = tops(below);
    }
    next.remove("");
    notes.add(
        "there is one folder at the top of "
            + name
            + " ("
            + top
            + ")"
            + (beside == null ? "" : " beside " + images(beside))
            + ", so there are no classes: "
            + (next.size() < 2
                ? "one folder per class gives some"
                : "give folder:" + path + " to have " + named(next.keySet()) + " as such"));
  }

  private void noteHeldOut(List<String> classes, FileNames kept, FileNames test) {
    Map<String, Integer> all = new TreeMap<>(tops);
    Integer beside = all.remove("");
    notes.add(
        classesOf(all)
            + " by the folders in "
            + name
            + "; "
            + (holdout == 0
                ? "all " + images(images.size()) + " are learned from (`holdout` 0)"
                : String.format(
                    Locale.ROOT,
                    "%d of %s are held out for testing (`holdout` %s)",
                    test.size(),
                    images(images.size()),
                    holdout))
            + (beside == null ? "" : "; " + images(beside) + " beside them have no class"));
    if (holdout > 0) {
      Set<String> untested = new LinkedHashSet<>(classes);
      untested.removeAll(tops(test).keySet());
      if (!untested.isEmpty()) {
        notes.add(
            "warning: classes without test images: "
                + named(untested)
                + " (a larger `holdout`, or parts of your own, train and val, give them some)");
      }
      Set<String> unlearned = new LinkedHashSet<>(classes);
      unlearned.removeAll(tops(kept).keySet());
      if (!unlearned.isEmpty()) {
        notes.add("warning: classes without training images: " + named(unlearned));
      }
    }
  }

  /** Classes that are more likely parts, named so or holding folders of the same names. */
  private void noteLooksLikeParts(Optional<String> train, List<String> tests) {
    if (tops.size() > NAMED && train.isEmpty() && tests.isEmpty()) {
      return;
    }
    Map<String, Set<String>> inside = new TreeMap<>();
    tops.keySet().stream().filter(t -> !t.isEmpty()).forEach(t -> inside.put(t, new TreeSet<>()));
    for (int i = 0; i < images.size(); i++) {
      String[] names = images.text(i).split("/", 3);
      if (names.length == 3) {
        inside.get(names[0]).add(names[1]);
      }
    }
    Set<Set<String>> different = new LinkedHashSet<>(inside.values());
    boolean sameInside =
        inside.size() <= NAMED && different.size() == 1 && different.iterator().next().size() >= 2;
    Set<String> named = new TreeSet<>(tests);
    train.ifPresent(named::add);
    named.removeIf(part -> inside.get(part).size() < 2);
    if (sameInside || !named.isEmpty()) {
      Set<String> parts = sameInside ? inside.keySet() : named;
      notes.add(
          "warning: "
              + named(parts)
              + (parts.size() == 1 ? " is taken as a class" : " are taken as classes")
              + ", and "
              + (sameInside
                  ? "hold the same folders (" + named(different.iterator().next()) + ")"
                  : "named like a part")
              + ": are they parts? Then call them train and val");
    }
  }

  // --- Words ---

  private static String images(int count) {
    return count == 1 ? "1 image" : count + " images";
  }

  private static String named(Set<String> names) {
    int more = names.size() - NAMED;
    return names.stream().limit(NAMED).collect(Collectors.joining(", "))
        + (more > 0 ? " and " + more + " more" : "");
  }

  private static String classesOf(Map<String, Integer> counts) {
    int least = counts.values().stream().min(Integer::compare).orElse(0);
    int most = counts.values().stream().max(Integer::compare).orElse(0);
    return String.format(
        Locale.ROOT,
        "%d classes of %s (%s)",
        counts.size(),
        least == most ? images(least) : least + " to " + images(most),
        named(counts.keySet()));
  }
}
