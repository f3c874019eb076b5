package org.swav4j.benchmarks.study;

import java.io.IOException;

/** Something that takes a process and leaves a log; one whose log is there isn't done again. */
interface Job {
  /**
   * Whether its log is there.
   *
   * @throws IllegalArgumentException if that is of other flags
   * @throws IOException if it can't be read
   */
  boolean isDone() throws IOException;

  /**
   * Runs it, or what is left of it.
   *
   * @return whether there is a result: false if it was stopped, or could not be run
   */
  boolean run() throws IOException, InterruptedException;

  /** Ends its process and keeps it from being started. */
  void stop();
}
