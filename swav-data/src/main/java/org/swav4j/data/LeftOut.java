package org.swav4j.data;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a folder holds beside the images that are read: counted by the reason, the first few named.
 * Not thread-safe.
 */
final class LeftOut {
  /** Why. */
  enum Reason {
    /** An image to people; the detail is its format. */
    UNREAD_FORMAT,
    /** A link whose target is not there. */
    DANGLING,
    /** A folder that can't be listed; the detail is why. */
    CLOSED,
    /** A link to a folder that it lies in, or that another link has led to. */
    CYCLE,
    /** A file that can't be looked at; the detail is why. */
    UNREACHABLE,
    /** Hidden, or put there by a system for itself. */
    HIDDEN,
    /** No image; the detail is its ending. */
    NO_IMAGE
  }

  private static final int NAMED = 3;

  private static final class Tally {
    int count;
    final List<String> named = new ArrayList<>();
    final Map<String, Integer> details = new TreeMap<>();
  }

  private final Map<Reason, Tally> tallies = new EnumMap<>(Reason.class);

  /**
   * Counts one.
   *
   * @param name relative to the folder
   * @param detail see {@link Reason}; may be empty
   */
  void add(Reason reason, String name, String detail) {
    Tally tally = tallies.computeIfAbsent(reason, r -> new Tally());
    tally.count++;
    if (tally.named.size() < NAMED) {
      tally.named.add(name);
    }
    if (!detail.isEmpty()) {
      tally.details.merge(detail, 1, Integer::sum);
    }
  }

  int count(Reason reason) {
    return tallies.containsKey(reason) ? tallies.get(reason).count : 0;
  }

  /** One sentence for each reason that occurred, the most telling first. */
  List<String> sentences() {
    return tallies.entrySet().stream().map(e -> sentence(e.getKey(), e.getValue())).toList();
  }

  private static String sentence(Reason reason, Tally t) {
    boolean one = t.count == 1;
    return switch (reason) {
      case UNREAD_FORMAT ->
          (one ? "1 image is" : t.count + " images are")
              + " left out, of a format that isn't read ("
              + details(t)
              + "; "
              + names(t)
              + "): convert to JPEG or PNG";
      case DANGLING ->
          (one ? "1 link leads" : t.count + " links lead")
              + " nowhere ("
              + names(t)
              + "): fetch the files ('git annex get', 'dvc pull'), or remove the links";
      case CLOSED ->
          (one ? "1 folder" : t.count + " folders")
              + " can't be listed ("
              + names(t)
              + ": "
              + String.join(", ", t.details.keySet())
              + "), what is in there is left out: check the permissions";
      case CYCLE ->
          (one ? "1 link is" : t.count + " links are")
              + " not followed, to a folder that is read already ("
              + names(t)
              + ")";
      case UNREACHABLE ->
          (one ? "1 file" : t.count + " files")
              + " can't be looked at ("
              + names(t)
              + ": "
              + String.join(", ", t.details.keySet())
              + ")";
      case HIDDEN ->
          (one ? "1 hidden file or folder is" : t.count + " hidden files and folders are")
              + " ignored ("
              + names(t)
              + ")";
      case NO_IMAGE ->
          (one ? "1 file that is no image is" : t.count + " files that are no images are")
              + " ignored ("
              + details(t)
              + "; "
              + names(t)
              + ")";
    };
  }

  private static String names(Tally t) {
    int more = t.count - t.named.size();
    return String.join(", ", t.named) + (more > 0 ? " and " + more + " more" : "");
  }

  /** The most frequent details with their counts: {@code 11 .txt, 1 without ending}. */
  private static String details(Tally t) {
    return t.details.entrySet().stream()
        .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
        .limit(4)
        .map(e -> e.getValue() + " " + e.getKey())
        .collect(Collectors.joining(", "));
  }
}
