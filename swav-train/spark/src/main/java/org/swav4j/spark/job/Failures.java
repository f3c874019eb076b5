package org.swav4j.spark.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/** What went wrong with the workers of an attempt, told by their tasks. Thread-safe. */
final class Failures extends SparkListener {
  /** What workers say when another has failed. */
  private static final List<String> ECHOES = List.of(" is gone (", "interrupted while waiting");

  private final List<String> all = new ArrayList<>();
  private String hopeless;

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    String worker = "worker " + end.taskInfo().partitionId() + " on " + end.taskInfo().host();
    if (end.reason() instanceof ExceptionFailure failure) {
      String said = worker + ": " + line(failure.description());
      if (failure.className().equals(HopelessException.class.getName()) && hopeless == null) {
        hopeless = said;
      }
      all.add(
          failure.className().startsWith("org.swav4j")
              ? said
              : worker + ": " + simple(failure.className()) + ": " + line(failure.description()));
    } else if (end.reason() instanceof ExecutorLostFailure lost) {
      all.add(
          worker
              + ": executor "
              + lost.execId()
              + " was lost"
              + (lost.reason().isDefined() ? ": " + line(lost.reason().get()) : ""));
    }
  }

  private static String simple(String className) {
    return className.substring(className.lastIndexOf('.') + 1);
  }

  private static String line(String text) {
    return text == null ? "" : text.lines().findFirst().orElse("").strip();
  }

  /** Forgets the attempt before. */
  synchronized void clear() {
    all.clear();
    hopeless = null;
  }

  /** A failure that would come again. */
  synchronized Optional<String> hopeless() {
    return Optional.ofNullable(hopeless);
  }

  /** What came first, of one that has a reason of its own if there is one. */
  synchronized Optional<String> cause() {
    return all.stream()
        .filter(line -> ECHOES.stream().noneMatch(line::contains))
        .findFirst()
        .or(() -> all.stream().findFirst());
  }
}
