package org.swav4j.train.diagnostics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Turns settings and numbers into plain advice: what is wrong, and which setting to turn. At most
 * one line per epoch, and not the same one epoch after epoch. The cases are those that users of
 * SwAV reported. Not thread-safe.
 */
public final class CollapseMonitor {
  /** Steps a loss may stay at ln K before it counts as stuck. */
  private static final long PATIENCE = 300;

  private static final double STUCK = 0.99;

  private enum Finding {
    NONE,
    COLLAPSED,
    SLOW,
    STUCK,
    FLOOR,
    ONE_FOR_ALL,
    COPIES
  }

  private final RunFacts facts;
  private final long stepsPerEpoch;
  private long stuckSteps;
  private long steps;
  private Finding last = Finding.NONE;

  /**
   * A monitor of one run.
   *
   * @param facts its settings
   * @param stepsPerEpoch at least 1
   */
  public CollapseMonitor(RunFacts facts, long stepsPerEpoch) {
    this.facts = facts;
    this.stepsPerEpoch = stepsPerEpoch;
  }

  /** What the settings alone foretell, one line each; empty if nothing is amiss. */
  public List<String> beforeTraining() {
    List<String> lines = new ArrayList<>();
    int rows = facts.batch() + facts.queue();
    if (rows == 1) {
      lines.add(
          "a batch of 1 without a queue gives every image the same code, so nothing is learned:"
              + " raise the batch or add a queue");
    } else if (rows < facts.prototypes()) {
      lines.add(
          text(
              "%d prototypes for a batch of %d and a queue of %d: the loss cannot go below ln(K /"
                  + " (B + L)) = %.2f; use at most %d prototypes or a queue of %d",
              facts.prototypes(),
              facts.batch(),
              facts.queue(),
              facts.lossFloor(),
              rows,
              multiple(facts.prototypes() - facts.batch())));
    }
    if (facts.queue() > facts.samples()) {
      lines.add(
          text(
              "a queue of %d rows is longer than the data (%d images), so it holds stale copies of"
                  + " the batch's own images: shorten it to %d or less",
              facts.queue(), facts.samples(), facts.samples() / 2));
    }
    if (facts.frozen() > facts.iterations() / 10) {
      lines.add(
          text(
              "prototypes stay frozen for %d of %d steps: about one epoch, at most a tenth of the"
                  + " run, is meant",
              facts.frozen(), facts.iterations()));
    }
    if (facts.tooSlowForLars()) {
      lines.add(slow());
    }
    return lines;
  }

  private int multiple(int atLeast) {
    return (atLeast + facts.batch() - 1) / facts.batch() * facts.batch();
  }

  private String slow() {
    return text(
        "learning rate %s is small for LARS, a step moves weights by about %.0e of their size: %.2g"
            + " is usual for a batch of %d (0.3 per 256)",
        facts.learningRate(), facts.learningRate() * 0.001, facts.usualLarsRate(), facts.batch());
  }

  /** What an epoch's numbers say; empty if all is well or was said after the last epoch. */
  public Optional<String> afterEpoch(EpochDiagnostics epoch) {
    steps += stepsPerEpoch;
    stuckSteps = epoch.shareOfLogK() > STUCK ? stuckSteps + stepsPerEpoch : 0;
    Finding finding = find(epoch);
    boolean told = finding == last;
    last = finding;
    return told || finding == Finding.NONE ? Optional.empty() : Optional.of(say(finding, epoch));
  }

  private Finding find(EpochDiagnostics epoch) {
    if (steps < PATIENCE) {
      return Finding.NONE;
    }
    if (epoch.spread() < 0.05) {
      return Finding.COLLAPSED;
    }
    if (stuckSteps >= PATIENCE) {
      return facts.tooSlowForLars() ? Finding.SLOW : Finding.STUCK;
    }
    double floor = facts.lossFloor();
    if (floor > 0 && epoch.loss() < 1.02 * floor) {
      return Finding.FLOOR;
    }
    if (epoch.prototypes() > 2 && epoch.largest() > 0.5) {
      return Finding.ONE_FOR_ALL;
    }
    return epoch.distinct() < 0.9 * epoch.prototypes() ? Finding.COPIES : Finding.NONE;
  }

  private String say(Finding finding, EpochDiagnostics epoch) {
    return switch (finding) {
      case COLLAPSED ->
          text(
              "collapsed: embeddings of all images are nearly equal (spread %.3f, 1 is even); start"
                  + " again with a lower learning rate, a lower epsilon (0.03) or longer frozen"
                  + " prototypes",
              epoch.spread());
      case SLOW -> text("loss %.3f is still that of chance, ln K; ", epoch.loss()) + slow();
      case STUCK ->
          text(
              "loss %.3f has stayed at ln K, that of chance, for %d steps: lower epsilon (0.03),"
                  + " freeze the prototypes longer or ease the augmentation",
              epoch.loss(), stuckSteps);
      case FLOOR ->
          text(
              "loss %.3f has reached the lowest that %d prototypes allow with a batch of %d and a"
                  + " queue of %d, ln(K / (B + L)) = %.2f: use fewer prototypes or a queue",
              epoch.loss(), facts.prototypes(), facts.batch(), facts.queue(), facts.lossFloor());
      case ONE_FOR_ALL ->
          text(
              "one prototype is the best of %.0f %% of the images: lower epsilon or the learning"
                  + " rate",
              100 * epoch.largest());
      case COPIES ->
          text(
              "only %d of %d prototypes are distinct, and copies stay copies: use fewer, or freeze"
                  + " them longer at the start",
              epoch.distinct(), epoch.prototypes());
      case NONE -> throw new IllegalStateException("nothing to say");
    };
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
