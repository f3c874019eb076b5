package org.swav4j.model.engine.onednn;

import java.util.ArrayDeque;
import java.util.Deque;

/** Native objects to free together, the last made first. */
final class Resources implements AutoCloseable {
  private final Deque<Runnable> releases = new ArrayDeque<>();

  void add(Runnable release) {
    releases.push(release);
  }

  @Override
  public void close() {
    while (!releases.isEmpty()) {
      releases.pop().run();
    }
  }
}
