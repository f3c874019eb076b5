package org.swav4j.train.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.swav4j.train.loop.Trainer;

/**
 * While open, Ctrl-C (or SIGTERM) stops the trainer after its current step; the process ends when
 * this is closed, that is, when everything is written.
 */
final class StopOnInterrupt implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 120;

  private final CountDownLatch written = new CountDownLatch(1);
  private final Thread hook;

  private StopOnInterrupt(Trainer trainer) {
    hook =
        new Thread(
            () -> {
              trainer.stop();
              try {
                written.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "swav-stop");
  }

  static StopOnInterrupt of(Trainer trainer) {
    StopOnInterrupt interrupt = new StopOnInterrupt(trainer);
    Runtime.getRuntime().addShutdownHook(interrupt.hook);
    return interrupt;
  }

  @Override
  public void close() {
    written.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // It is running, and the process ends with it.
    }
  }
}
