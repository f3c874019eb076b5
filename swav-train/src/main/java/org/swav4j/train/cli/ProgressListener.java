package org.swav4j.train.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.swav4j.train.advice.HealthState;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;

/**
 * Shows how training goes: on a terminal a bar with step, speed, loss and time left, and above it
 * every epoch's line and the advice that comes of it. Where the output is no terminal, a line now
 * and then instead of the bar.
 */
final class ProgressListener implements TrainingListener, AutoCloseable {
  private static final long QUIET_NANOS = 30_000_000_000L;
  private static final List<String> WELL =
      List.of(HealthState.STARTING.label(), HealthState.HEALTHY.label());
  private static final int MIN_BAR = 6;
  private static final int MAX_BAR = 40;

  private final PrintWriter lines;
  private final PrintWriter notes;
  private final boolean terminal;
  private RunSizes sizes;
  private final Terminal.Row row = new Terminal.Row();
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
  public void started(RunSizes sizes) {
    this.sizes = sizes;
  }

  @Override
  public void note(String line) {
    print(notes, Flags.in(line));
  }

  @Override
  public void step(StepMetrics m) {
    // The first steps compile and are slow: an average that forgets shows the present speed.
    double keep = steps++ < 20 ? 0.8 : 0.98;
    seconds = steps == 1 ? m.seconds() : keep * seconds + (1 - keep) * m.seconds();
    waited = steps == 1 ? m.waitedSeconds() : keep * waited + (1 - keep) * m.waitedSeconds();
    loss = steps == 1 ? m.loss() : keep * loss + (1 - keep) * m.loss();
    tell(m.advice());
    if (terminal) {
      if (bar == null) {
        bar = bar(m.step());
      }
      bar.stepTo(m.step() + 1);
      bar.setExtraMessage(state(m));
    } else if (System.nanoTime() - lastNote > QUIET_NANOS) {
      lastNote = System.nanoTime();
      notes.println(state(m));
    }
  }

  private ProgressBar bar(long from) {
    return new ProgressBarBuilder()
        .setInitialMax(sizes.totalSteps())
        .startsFrom(from, Duration.ZERO)
        .setRenderer((p, width) -> render(p.getNormalizedProgress(), p.getExtraMessage(), width))
        .setUpdateIntervalMillis(500)
        .setConsumer(row)
        .build();
  }

  /** The text, which comes first, and a bar in what is left of the width. */
  static String render(double done, String text, int width) {
    int room = Math.min(MAX_BAR, width - text.length() - "[]  ".length());
    String line = text;
    if (room >= MIN_BAR) {
      int full = (int) Math.round(done * room);
      line = "[" + "=".repeat(full) + " ".repeat(room - full) + "]  " + text;
    }
    // Blanks cover what is left of a longer line.
    return (line + " ".repeat(Math.max(0, width - line.length()))).substring(0, width);
  }

  private String state(StepMetrics m) {
    return text(
        "epoch %d/%d  step %d/%d  %.0f images/s  loss %s  %s left%s%s",
        m.epoch() + 1,
        sizes.epochs(),
        m.step() + 1,
        sizes.totalSteps(),
        sizes.batch() / seconds,
        loss(loss, loss * m.lossShare() / m.loss()),
        clock(Math.round((sizes.totalSteps() - m.step() - 1) * seconds)),
        waiting(waited / seconds),
        m.queueRows() > 0 ? "  queue " + m.queueRows() : "");
  }

  /** With its share of ln K, for methods that have K targets. */
  private static String loss(double loss, double share) {
    return Double.isNaN(share) ? text("%.3f", loss) : text("%.3f (%.2f ln K)", loss, share);
  }

  /** Only where it matters: crops that come too late. */
  private static String waiting(double share) {
    return share < 0.05 ? "" : text("  waiting %.0f %%", 100 * share);
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  private static String clock(long seconds) {
    return seconds < 3600
        ? text("%d:%02d", seconds / 60, seconds % 60)
        : text("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  @Override
  public void epoch(EpochMetrics m) {
    print(lines, line(m, sizes.epochs()));
    if (m.epoch() > 0) {
      tell(m.advice());
    }
  }

  private void tell(List<String> advice) {
    for (String line : advice) {
      print(notes, "advice: " + Flags.in(line));
    }
  }

  static String line(EpochMetrics m, int epochs) {
    StringBuilder line = new StringBuilder();
    if (m.epoch() == 0) {
      line.append("untrained");
    } else {
      line.append(text("epoch %d/%d  loss %s", m.epoch(), epochs, loss(m.loss(), m.lossShare())));
      if (!Double.isNaN(m.health().spread())) {
        line.append(text("  spread %.2f", m.health().spread()));
      }
      line.append(text("  %.0f images/s", m.imagesPerSecond()));
    }
    if (m.hasKnn()) {
      line.append(text("  k-NN %.1f %%", 100 * m.knn()));
    }
    if (!m.hasKnn() && !Double.isNaN(m.features().rankMe())) {
      line.append(text("  RankMe %.1f", m.features().rankMe()));
    }
    if (!m.state().isEmpty() && !WELL.contains(m.state())) {
      line.append("  ").append(m.state());
    }
    return line.toString();
  }

  private void print(PrintWriter where, String line) {
    row.instead(
        () -> {
          where.println(terminal ? Terminal.folded(line) : line);
          where.flush();
        });
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
