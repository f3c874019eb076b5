package org.swav4j.spark.job;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/**
 * What went wrong with the workers of an attempt, and which of them still run, told by their tasks.
 * Tasks of other jobs are not looked at. Thread-safe.
 */
final class Failures extends SparkListener {
  /** What workers say when another has failed. */
  private static final List<String> ECHOES = List.of(" is gone (", "interrupted while waiting");

  private static final String GROUP = "spark.jobGroup.id";

  private final String group;
  private final Set<Integer> stages = new HashSet<>();
  private final Map<Long, String> running = new TreeMap<>();
  private final List<String> all = new ArrayList<>();
  private String hopeless;

  /**
   * @param group of the jobs whose tasks are workers
   */
  Failures(String group) {
    this.group = group;
  }

  @Override
  public synchronized void onStageSubmitted(SparkListenerStageSubmitted submitted) {
    if (submitted.properties() != null && group.equals(submitted.properties().getProperty(GROUP))) {
      stages.add(submitted.stageInfo().stageId());
    }
  }

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart start) {
    if (stages.contains(start.stageId())) {
      running.put(start.taskInfo().taskId(), start.taskInfo().executorId());
    }
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    if (!stages.contains(end.stageId())) {
      return;
    }
    running.remove(end.taskInfo().taskId());
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

  /** The executors in which a worker has begun and not ended. */
  synchronized Set<String> busy() {
    return new TreeSet<>(running.values());
  }

  /** Forgets what went wrong in the attempt before. */
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
