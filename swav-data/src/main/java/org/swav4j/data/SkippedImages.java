package org.swav4j.data;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Counts the images that had to be left out and names the first few. An image met again, in a later
 * epoch, counts once. Thread-safe.
 */
public final class SkippedImages {
  private static final int NAMED = 5;

  private final Map<String, String> reasons = new LinkedHashMap<>();

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
