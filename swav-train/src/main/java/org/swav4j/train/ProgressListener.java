package org.swav4j.train;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows how training goes: on a terminal a bar with step, speed, loss and time left, and below
 * every epoch's line. Where the output is no terminal, a line now and then instead of the bar.
 */
final class ProgressListener implements TrainingListener, AutoCloseable {
  private static final long QUIET_NANOS = 30_000_000_000L;

  private final PrintWriter lines;
  private final PrintWriter notes;
  private final boolean terminal;
  private TrainingPlan plan;
  private ProgressBar bar;
  private long lastNote = System.nanoTime();
  private double seconds;
  private double waited;
  private double loss;
  private long steps;

  /**
   * @param lines where epochs are reported
   * @param notes where the bar, or notes in its place, go: standard error
   * @param terminal whether someone is watching
   */
  ProgressListener(PrintWriter lines, PrintWriter notes, boolean terminal) {
    this.lines = lines;
    this.notes = notes;
    this.terminal = terminal;
  }

  @Override
  public void started(TrainingPlan plan) {
    this.plan = plan;
  }

  @Override
  public void step(StepMetrics m) {
    // The first steps compile and are slow: an average that forgets shows the present speed.
    double keep = steps++ < 20 ? 0.8 : 0.98;
    seconds = steps == 1 ? m.seconds() : keep * seconds + (1 - keep) * m.seconds();
    waited = steps == 1 ? m.waitedSeconds() : keep * waited + (1 - keep) * m.waitedSeconds();
    loss = steps == 1 ? m.loss() : keep * loss + (1 - keep) * m.loss();
    if (terminal) {
      if (bar == null) {
        bar = bar(m.step());
      }
      bar.stepTo(m.step() + 1);
      bar.setExtraMessage(" " + state(m));
    } else if (System.nanoTime() - lastNote > QUIET_NANOS) {
      lastNote = System.nanoTime();
      long left = Math.round((plan.totalSteps() - m.step() - 1) * seconds);
      notes.printf(
          "step %d/%d  %s  %s left%n", m.step() + 1, plan.totalSteps(), state(m), clock(left));
    }
  }

  private ProgressBar bar(long from) {
    ProgressBar made =
        new ProgressBarBuilder()
            .setTaskName("train")
            .setInitialMax(plan.totalSteps())
            .startsFrom(from, java.time.Duration.ZERO)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(500)
            .setConsumer(new ConsoleProgressBarConsumer(standardError()))
            .build();
    return made;
  }

  private static PrintStream standardError() {
    return System.err;
  }

  private String state(StepMetrics m) {
    return String.format(
        Locale.ROOT,
        "epoch %d/%d  %.0f images/s  loss %.3f (%.2f ln K)  waiting %.0f %%%s",
        m.epoch() + 1,
        plan.epochs(),
        plan.batch() / seconds,
        loss,
        loss / Math.log(plan.prototypes()),
        100 * waited / seconds,
        m.queueRows() > 0 ? "  queue " + m.queueRows() : "");
  }

  private static String clock(long seconds) {
    return seconds < 3600
        ? String.format("%d:%02d", seconds / 60, seconds % 60)
        : String.format("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  @Override
  public void epoch(EpochMetrics m) {
    clearLine();
    lines.println(line(m, plan.epochs()));
  }

  static String line(EpochMetrics m, int epochs) {
    StringBuilder line = new StringBuilder();
    if (m.epoch() == 0) {
      line.append("untrained");
    } else {
      line.append(String.format("epoch %d/%d", m.epoch(), epochs));
      line.append(
          String.format(
              Locale.ROOT,
              "  loss %.3f (%.2f ln K)  %.0f images/s  waiting %.0f %%",
              m.loss(),
              m.lossShare(),
              m.imagesPerSecond(),
              100 * m.waitShare()));
    }
    if (m.hasKnn()) {
      line.append(String.format(Locale.ROOT, "  k-NN %.1f %%", 100 * m.knn()));
    }
    return line.toString();
  }

  /** The bar draws itself anew below what is printed now. */
  private void clearLine() {
    if (bar != null) {
      notes.print("\r\u001b[K");
      notes.flush();
    }
  }

  @Override
  public void ended() {
    close();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
