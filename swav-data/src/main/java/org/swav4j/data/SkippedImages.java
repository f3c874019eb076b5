package org.swav4j.data;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Counts the images that had to be left out and names the first few; likewise those that were read
 * but of which something is to be said. An image met again, in a later epoch, counts once.
 * Thread-safe.
 */
public final class SkippedImages {
  private static final int NAMED = 5;

  /** Images told apart for one remark, so that a set full of them takes little memory. */
  private static final int COUNTED = 10_000;

  /** Images of one remark, and the first of them as an example. */
  private record Remarked(String example, Set<String> images) {}

  private final Map<String, String> reasons = new LinkedHashMap<>();
  private final Map<ImageRemark.Kind, Remarked> remarked = new EnumMap<>(ImageRemark.Kind.class);

  /**
   * Notes an image that was left out.
   *
   * @param description which one, as in {@link ImageSource#describe}
   * @param reason what is wrong with it
   * @return whether it is the first time that this image is noted
   */
  public synchronized boolean add(String description, String reason) {
    return reasons.putIfAbsent(description, reason) == null;
  }

  /**
   * Notes what is to be said of an image that was read, if anything.
   *
   * @param description which one, as in {@link ImageSource#describe}
   */
  public void remark(String description, Image image) {
    image.remark().ifPresent(remark -> remark(description, remark));
  }

  private synchronized void remark(String description, ImageRemark remark) {
    Set<String> images =
        remarked
            .computeIfAbsent(
                remark.kind(),
                kind -> new Remarked(description + " (" + remark.detail() + ")", new HashSet<>()))
            .images();
    if (images.size() < COUNTED) {
      images.add(description);
    }
  }

  /**
   * A line for each thing that is to be said of images that were read, with their count and an
   * example; empty where there is nothing.
   */
  public synchronized List<String> remarks() {
    List<String> lines = new ArrayList<>();
    remarked.forEach(
        (kind, noted) -> {
          int count = noted.images().size();
          String images =
              count == 1 ? "1 image " : count + (count < COUNTED ? "" : " or more") + " images ";
          lines.add(images + kind.text() + ", for example " + noted.example());
        });
    return lines;
  }

  /** How many different images were left out. */
  public synchronized int count() {
    return reasons.size();
  }

  /** What is wrong with an image that was left out; empty if it wasn't. */
  public synchronized Optional<String> reason(String description) {
    return Optional.ofNullable(reasons.get(description));
  }

  /**
   * One line: {@code 7 images skipped: a.png (truncated PNG: ...), ..., and 2 more}; {@code no
   * image skipped} where there were none.
   */
  public synchronized String summary() {
    int count = reasons.size();
    if (count == 0) {
      return "no image skipped";
    }
    StringBuilder line = new StringBuilder(count == 1 ? "1 image" : count + " images");
    String separator = " skipped: ";
    int named = 0;
    for (Map.Entry<String, String> entry : reasons.entrySet()) {
      if (named++ == NAMED) {
        return line.append(", and ").append(count - NAMED).append(" more").toString();
      }
      line.append(separator).append(entry.getKey());
      line.append(" (").append(entry.getValue()).append(')');
      separator = ", ";
    }
    return line.toString();
  }
}
