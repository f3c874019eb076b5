package org.swav4j.train.advice;

import java.util.Locale;
import java.util.Optional;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.RunSizes;

/**
 * Reads from the vital signs of a few dozen steps what need not wait for the loss of an epoch, each
 * with the one setting to turn. The bounds lie between what runs that were sabotaged in that way
 * and healthy ones show, mostly far from both. Not thread-safe.
 */
final class VitalsJudge {
  /** Contrast of normalised pixels, whose deviation over all images is 1; photographs have 0.6. */
  private static final double BLANK = 0.02;

  /** A cosine, with room for rounding. */
  private static final double COSINE = 1.05;

  /** By how much lengths may differ from 1; healthy ones by rounding. */
  private static final double OFF_SPHERE = 0.015;

  /** Nats by which codes must fall short of ln K to say anything; healthy ones begin at 0.1. */
  private static final double SAYING = 0.02;

  /** Share of their norm by which the first weights move in 50 steps; healthy ones by 0.1. */
  private static final double MOVING = 0.002;

  /** Loss, as a share of ln K, of a network that has learned nothing yet. */
  private static final double AT_CHANCE = 0.97;

  /** Cosine of an image's first two crops; in healthy runs of {@code quick} it was at most 0.96. */
  private static final double SAME = 0.998;

  private final TrainingConfig config;
  private final RunSizes sizes;
  private HealthState before = HealthState.HEALTHY;
  private HealthState state = HealthState.HEALTHY;

  VitalsJudge(TrainingConfig config, RunSizes sizes) {
    this.config = config;
    this.sizes = sizes;
  }

  /** What was found last; healthy if nothing. */
  HealthState state() {
    return state;
  }

  /** What a stretch shows, in a line with the setting to turn; empty if nothing new. */
  Optional<String> after(Vitals v) {
    HealthState last = state;
    saw(find(v));
    return state != last && state.amiss() ? Optional.of(line(v.step(), say(v))) : Optional.empty();
  }

  /** Takes in what a stretch showed. */
  void saw(HealthState seen) {
    // Twice in a row, so that no single stretch raises an alarm.
    state = seen == before ? seen : HealthState.HEALTHY;
    before = seen;
  }

  /** What the last stretch showed by itself. */
  HealthState seen() {
    return before;
  }

  /** Takes in what was found and said of steps. */
  void said(HealthState found) {
    before = found;
    state = found;
  }

  /** The same if a score of a single step is no cosine. */
  Optional<String> unnormalised(long step, double largestScore) {
    if (largestScore <= COSINE || state == HealthState.UNNORMALISED) {
      return Optional.empty();
    }
    said(HealthState.UNNORMALISED);
    return Optional.of(line(step, unnormalised(largestScore)));
  }

  private String line(long step, String text) {
    return state.label() + " after " + step + " steps: " + text;
  }

  private HealthState find(Vitals v) {
    if (v.contrast() < BLANK) {
      return HealthState.BLANK;
    }
    if (v.largestScore() > COSINE || v.offSphere() > OFF_SPHERE) {
      return HealthState.UNNORMALISED;
    }
    if (v.movement() == 0) {
      return HealthState.FROZEN;
    }
    if (sizes.lossFloor() > 0) {
      return HealthState.STARVED;
    }
    if (v.likeness() > SAME && v.spread() > 0.1) {
      return HealthState.EASY;
    }
    boolean warm = v.step() - sizes.schedule().warmup() > 50;
    if (!warm || v.loss() < AT_CHANCE * sizes.logK()) {
      return HealthState.HEALTHY;
    }
    if (sizes.logK() - v.codeEntropy() < SAYING) {
      return HealthState.UNIFORM;
    }
    return v.movement() < MOVING ? HealthState.SLOW : HealthState.HEALTHY;
  }

  private String say(Vitals v) {
    double rate = config.optimisation().learningRate();
    return switch (state) {
      case BLANK ->
          text(
              "the crops are plain (deviation of their pixels %.3f, of photographs about 0.6): are"
                  + " these the right images (`spec`)?",
              v.contrast());
      case UNNORMALISED -> unnormalised(v.largestScore());
      case FROZEN ->
          "the trunk's weights don't move at all: does the method train them (Method.trains), and"
              + " does the loss reach them?";
      case STARVED ->
          text(
              "%d prototypes share a batch of %d and a queue of %d, so that no code can be sharp: take"
                  + " at most %d `prototypes`",
              sizes.prototypes(),
              sizes.batch(),
              sizes.queueRows(),
              sizes.batch() + sizes.queueRows());
      case EASY ->
          text(
              "the crops of an image have nearly the same embedding (cosine %.4f), so that nothing is"
                  + " left to learn: take smaller `scales` or a stronger `jitter`",
              v.likeness());
      case UNIFORM ->
          text(
                  "the codes give each image to all prototypes alike (entropy %.3f of ln K = %.3f): ",
                  v.codeEntropy(), sizes.logK())
              + (config.codes().epsilon() > 0.03
                  ? "take a lower `epsilon` (0.03)"
                  : "crops of an image have too little in common: ease the augmentation (a lower"
                      + " `jitter`, `grey` or `solarise`, larger `scales`)");
      case SLOW ->
          text(
              "the weights hardly move (%.1e of their norm in 50 steps) and the loss, %.3f, is that of"
                  + " chance: take a higher `learningRate` than %s",
              v.movement(), v.loss(), TrainingConfig.number(rate));
      default -> throw new IllegalStateException("nothing to say of " + state);
    };
  }

  private static String unnormalised(double largestScore) {
    return text(
        "embeddings or prototypes are not of unit length (the largest of their products is %.2f;"
            + " cosines are at most 1): bring both to unit length in each step",
        largestScore);
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
