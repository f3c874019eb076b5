package org.swav4j.train.advice;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.config.TrainingConfig.OptimiserKind;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.loop.StepMetrics;

/**
 * Turns settings and the numbers of steps and epochs into plain advice: what is wrong, and which
 * setting to turn, by the name of its field in backticks ({@link
 * org.swav4j.train.config.Settings#withFlags} puts flags in their place). The cases are those that
 * users of SwAV reported. Not thread-safe.
 */
public final class CollapseMonitor {
  /** Steps after warm-up for which a loss may stay at ln K before it counts as stuck. */
  private static final int PATIENCE = 300;

  private static final double STUCK = 0.99;

  /**
   * Share of ln K above which crops hardly predict each other, so that no short cut was learned.
   * Harsh augmentation of Fashion-MNIST left 0.97 after 936 steps; the line is a choice.
   */
  private static final double HARDLY_LEARNED = 0.9;

  /**
   * How far above its lowest epoch, or above chance, a loss may come to lie, as a share of ln K.
   */
  private static final double RISE = 0.1;

  /** Share of ln K above which the loss of a single step is divergence. */
  private static final double DIVERGENCE = 1.5;

  /**
   * Batches above which a queue counts as long. On Fashion-MNIST, from the first step, 15 spoiled
   * the features and 2 did not; the line between is a choice.
   */
  private static final int LONG_QUEUE = 8;

  /**
   * How far k-NN accuracy may lie below the untrained network's, which it often does for an epoch:
   * a fifth of it, but no less than some hundred test images can tell, and no more than 5 points.
   */
  private static final double LOSS_OF_FEATURES = 0.2;

  private static final double SMALLEST_LOSS = 0.03;
  private static final double LARGEST_LOSS = 0.05;

  private final TrainingConfig config;
  private final RunSizes sizes;
  private final VitalsJudge vitals;
  private HealthState last = HealthState.HEALTHY;
  private double lowest = Double.POSITIVE_INFINITY;
  private double latest = Double.NaN;
  private double untrained = Double.NaN;
  private boolean worse;
  private double first = Double.NaN;
  private boolean diverged;

  /** A monitor of one run. */
  public CollapseMonitor(TrainingConfig config, RunSizes sizes) {
    this.config = config;
    this.sizes = sizes;
    this.vitals = new VitalsJudge(config, sizes);
  }

  /**
   * How the run is after a number of steps.
   *
   * @param step steps completed
   */
  public HealthState state(long step) {
    if (diverged || last == HealthState.COLLAPSED) {
      return last;
    }
    if (vitals.state().amiss()) {
      return vitals.state();
    }
    if (last.amiss()) {
      return last;
    }
    if (worse) {
      return HealthState.WORSE;
    }
    return step - sizes.schedule().warmup() < PATIENCE ? HealthState.STARTING : HealthState.HEALTHY;
  }

  /** What the settings alone foretell, one line each; empty if nothing is amiss. */
  public List<String> beforeTraining() {
    List<String> lines = new ArrayList<>();
    if (sizes.lossFloor() > 0) {
      lines.add(
          text(
              "%d prototypes for a batch of %d%s: the loss can't fall below ln(K/(B+L)) = %.2f"
                  + " (%.2f ln K); take at most %d `prototypes`%s",
              sizes.prototypes(),
              sizes.batch(),
              sizes.queueRows() > 0 ? " and a queue of " + sizes.queueRows() : "",
              sizes.lossFloor(),
              sizes.lossFloor() / sizes.logK(),
              sizes.batch() + sizes.queueRows(),
              orMoreSamples()));
    }
    if (sizes.balanced()) {
      addQueueWarnings(lines);
    } else {
      lines.add(
          "codes without balancing (`kind` unbalanced) let all images have the same one, and the"
              + " embeddings collapse: they are for comparison, take soft to learn features");
    }
    TrainingConfig.Optimisation o = config.optimisation();
    if (o.freezeEpochs() > 0.5 * o.epochs()) {
      lines.add(
          text(
              "the prototypes stay frozen for %s of %d epochs; about one, at most a tenth of the"
                  + " run, is meant: take a shorter `freezeEpochs`",
              TrainingConfig.number(o.freezeEpochs()), o.epochs()));
    }
    if (tooSlowForLars()) {
      lines.add(slow());
    }
    if (sizes.totalSteps() - sizes.schedule().warmup() < PATIENCE) {
      lines.add(
          text(
              "the run has only %d steps, and a loss often stays at ln K for the first few hundred:"
                  + " take %d or more `epochs`",
              sizes.totalSteps(), (3 * PATIENCE - 1) / sizes.stepsPerEpoch() + 1));
    }
    return lines;
  }

  /** The other cures; a queue that covers the prototypes only if the data are enough for it. */
  private String orMoreSamples() {
    int rows = (sizes.prototypes() - 1) / sizes.batch() * sizes.batch();
    return rows <= sizes.images() / 2
        ? ", a larger `batch` or a `queueLength` of "
            + rows
            + (rows > LONG_QUEUE * sizes.batch() ? " with a `queueStartEpoch` of some epochs" : "")
        : " or a larger `batch`";
  }

  private void addQueueWarnings(List<String> lines) {
    int asked = config.codes().queueLength();
    int rows = config.queueRows();
    if (rows != asked) {
      lines.add(
          text(
              "the queue of %d is rounded down to %d, whole batches of %d%s",
              asked, rows, sizes.batch(), rows == 0 ? ", which leaves none" : ""));
    }
    if (rows > sizes.images()) {
      lines.add(
          text(
              "the queue of %d is longer than the %d images, so it holds stale copies of the"
                  + " batch's own: take a `queueLength` of at most %d",
              rows, sizes.images(), sizes.images() / 2));
    } else if (longQueue() && sizes.queueStartStep() < sizes.stepsPerEpoch()) {
      lines.add(
          text(
              "the queue of %d holds the embeddings of %d steps and starts with the run, when they"
                  + " are soon out of date, which can spoil the features: take a `queueStartEpoch` of"
                  + " some epochs, or a shorter `queueLength`",
              rows, rows / sizes.batch()));
    }
    if (rows > 0 && sizes.queueRows() == 0) {
      lines.add(
          text(
              "the queue starts at step %d of %d and takes %d to fill, so it is never used: take an"
                  + " earlier `queueStartEpoch` or a shorter `queueLength`",
              sizes.queueStartStep(), sizes.totalSteps(), rows / sizes.batch()));
    }
  }

  /** A rate that suits this batch: the presets'. */
  private double usualRate() {
    return config.optimisation().optimiser() == OptimiserKind.LARS
        ? usualLarsRate()
        : 0.1 * sizes.batch() / 64;
  }

  /** SwAV's rate for this batch with LARS: 0.6 per 256 images. */
  private double usualLarsRate() {
    return 0.6 * sizes.batch() / 256;
  }

  /** A twentieth of the usual rate: each step then moves the weights by next to nothing. */
  private boolean tooSlowForLars() {
    return config.optimisation().optimiser() == OptimiserKind.LARS
        && config.optimisation().learningRate() < usualLarsRate() / 20;
  }

  private String slow() {
    double rate = config.optimisation().learningRate();
    return text(
        "a learning rate of %s with lars moves weights by about %.0e of their norm a step, which is"
            + " too little to learn: take a rate of about %.2g, 0.6 per 256 images (`learningRate`)",
        TrainingConfig.number(rate), rate * 1e-3, usualLarsRate());
  }

  /**
   * Takes in what was told of a run that is resumed: what follows is as if it had not been
   * interrupted, but for a stretch that was, which isn't judged. Nothing is said again that was
   * said then.
   *
   * @param steps in order, up to the checkpoint: the first, for its loss, and those with advice or
   *     at the end of a stretch; others change nothing
   * @param epochs in order, from the untrained network to the last before the checkpoint
   */
  public void resume(List<StepMetrics> steps, List<EpochMetrics> epochs) {
    int next = 0;
    for (EpochMetrics epoch : epochs) {
      while (next < steps.size() && steps.get(next).step() < epoch.step()) {
        resume(steps.get(next++));
      }
      if (epoch.epoch() > 0) {
        afterEpoch(epoch.step(), epoch.loss(), epoch.health());
      }
      afterEvaluation(epoch.step(), epoch.knn());
    }
    steps.subList(next, steps.size()).forEach(this::resume);
  }

  private void resume(StepMetrics step) {
    if (Double.isNaN(first)) {
      first = step.loss();
    }
    for (String line : step.advice()) {
      // Each line begins with the label of what was found.
      HealthState said = HealthState.of(line.split("\\W", 2)[0]).orElse(HealthState.HEALTHY);
      if (said == HealthState.DIVERGED) {
        diverged = true;
        last = said;
      } else if (said.amiss()) {
        vitals.said(said);
      }
    }
    // Logs of older versions don't tell: then the advice above is all that is known.
    HealthState.of(step.stretch()).ifPresent(vitals::saw);
  }

  /**
   * Whether a step's loss shows divergence: it is above 1.5 ln K, and even predictions that know
   * nothing have ln K. With few dimensions an untrained network's loss may be as high; then it
   * counts from a quarter above the run's first. Empty if it doesn't, or if that was said and no
   * epoch's mean has come down since.
   *
   * <p>Scores that aren't cosines look the same, and are told apart.
   *
   * @param step from 0
   * @param loss in nats
   * @param largestScore the largest magnitude of the step's scores, asked for if the loss is high
   */
  public Optional<String> afterStep(long step, double loss, DoubleSupplier largestScore) {
    if (Double.isNaN(first)) {
      first = loss;
    }
    if (diverged || !(loss > Math.max(DIVERGENCE * sizes.logK(), 1.25 * first))) {
      return Optional.empty();
    }
    Optional<String> cause = vitals.unnormalised(step + 1, largestScore.getAsDouble());
    if (cause.isPresent() || vitals.state() == HealthState.UNNORMALISED) {
      return cause;
    }
    diverged = true;
    last = HealthState.DIVERGED;
    return Optional.of(last.label() + ": " + say(last, step + 1, loss, null));
  }

  /**
   * What a stretch of steps shows, see {@link HealthState}; empty if all is well, the same was said
   * of the last, or it is known that the run has diverged.
   */
  public Optional<String> afterStretch(Vitals stretch) {
    Optional<String> advice = vitals.after(stretch);
    return diverged ? Optional.empty() : advice;
  }

  /** What the last stretch showed by itself; it counts if the one before showed the same. */
  public HealthState lastStretch() {
    return vitals.seen();
  }

  /**
   * What an epoch's numbers say; empty if all is well, the same was said after the last epoch, or
   * its steps have shown why.
   *
   * @param step steps completed
   * @param loss mean over the epoch, in nats
   * @param health of the epoch; what is NaN is not judged
   */
  public Optional<String> afterEpoch(long step, double loss, EpochDiagnostics health) {
    if (queueJoined(step)) {
      lowest = loss; // codes over more images are harder to predict
    }
    HealthState finding = find(step, loss, health);
    Optional<String> advice =
        !finding.amiss() || finding == last || explained(finding)
            ? Optional.empty()
            : Optional.of(finding.label() + ": " + say(finding, step, loss, health));
    last = finding;
    diverged &= loss > (1 + RISE) * sizes.logK();
    lowest = Math.min(lowest, loss);
    latest = loss;
    return advice;
  }

  /** Whether the steps have shown what an epoch's loss only hints at. */
  private boolean explained(HealthState finding) {
    return vitals.state().amiss()
        && finding != HealthState.COLLAPSED
        && finding != HealthState.DIVERGED;
  }

  /**
   * Whether features have become worse than those of the untrained network, which a falling loss
   * can hide; empty if not, or if that was said and they have not been as good again since.
   *
   * @param step steps completed; 0 for the untrained network
   * @param accuracy k-NN's, 0 to 1; what is NaN is not judged
   */
  public Optional<String> afterEvaluation(long step, double accuracy) {
    if (step == 0) {
      untrained = accuracy;
    }
    if (Double.isNaN(accuracy) || step - sizes.schedule().warmup() < 2 * PATIENCE) {
      return Optional.empty();
    }
    boolean before = worse;
    worse = accuracy < untrained - (before ? 0 : allowedLoss());
    return worse && !before
        ? Optional.of(HealthState.WORSE.label() + ": " + worse(step, accuracy))
        : Optional.empty();
  }

  private double allowedLoss() {
    return Math.max(SMALLEST_LOSS, Math.min(LARGEST_LOSS, LOSS_OF_FEATURES * untrained));
  }

  private String worse(long step, double accuracy) {
    return text(
        "after %d steps k-NN is right for %.1f %% of the test images, with the untrained network it"
            + " was for %.1f %%: %s",
        step, 100 * accuracy, 100 * untrained, causeOfWorse());
  }

  private String causeOfWorse() {
    if (longQueue()) {
      return text(
          "the queue's embeddings are up to %d steps old, which may be too old while the network"
              + " changes fast: start again with a shorter `queueLength` or a later"
              + " `queueStartEpoch`",
          sizes.queueRows() / sizes.batch());
    }
    if (latest > HARDLY_LEARNED * sizes.logK()) {
      return text(
          "its crops hardly predict each other yet, with a loss of %.2f ln K, so that augmentation"
              + " may leave too little in common: try a weaker `jitter`, `grey` or `solarise`, or"
              + " larger `scales`",
          latest / sizes.logK());
    }
    return "perhaps brightness or colour alone tell which crops belong together: try a stronger"
        + " `jitter`, `grey` or `solarise`, or a lower `learningRate`";
  }

  /** Whether codes use embeddings so old that they were made by quite another network. */
  private boolean longQueue() {
    return sizes.queueRows() > LONG_QUEUE * sizes.batch();
  }

  /** Whether the queue began to take part in the epoch that ends here or the one before. */
  private boolean queueJoined(long step) {
    long full = sizes.queueStartStep() + sizes.queueRows() / sizes.batch();
    return sizes.queueRows() > 0 && step >= full && step - 2L * sizes.stepsPerEpoch() < full;
  }

  private HealthState find(long step, double loss, EpochDiagnostics health) {
    // Batch norm spreads the embeddings of even an untrained network: these two need no patience.
    if (health.spread() < 0.05) {
      return HealthState.COLLAPSED;
    }
    if (sizes.lossFloor() > 0 && loss < 1.02 * sizes.lossFloor()) {
      return HealthState.STARVED;
    }
    if (diverged && loss > (1 + RISE) * sizes.logK()) {
      return HealthState.DIVERGED;
    }
    if (step - sizes.schedule().warmup() < PATIENCE) {
      return HealthState.HEALTHY;
    }
    boolean atChance = loss > STUCK * sizes.logK();
    if (atChance && tooSlowForLars()) {
      return HealthState.SLOW;
    }
    // Rising comes first: a loss that was lower, or is far above chance, is not stuck there.
    if (loss > lowest + RISE * sizes.logK()) {
      return HealthState.UNSTABLE;
    }
    if (loss > (1 + RISE) * sizes.logK()) {
      return HealthState.DIVERGED;
    }
    if (atChance) {
      return health.codeEntropy() > 0.9 * sizes.logK() ? HealthState.UNIFORM : HealthState.STUCK;
    }
    if (sizes.prototypes() > 2 && health.largest() > 0.5) {
      return HealthState.COLLAPSING;
    }
    return health.distinct() < 0.9 ? HealthState.COPIES : HealthState.HEALTHY;
  }

  private String say(HealthState finding, long step, double loss, EpochDiagnostics health) {
    return switch (finding) {
      case COLLAPSED ->
          text(
              "the embeddings of all images are nearly equal (spread %.3f; 1 is even, 0"
                  + " one point): start again with a lower `learningRate`, a lower `epsilon` (0.03) or a"
                  + " longer `freezeEpochs`",
              health.spread());
      case STARVED ->
          text(
              "the loss, %.3f, has reached the lowest that %d prototypes allow with a batch of %d"
                  + " and a queue of %d, ln(K/(B+L)) = %.2f: take fewer `prototypes` or a `queueLength`",
              loss, sizes.prototypes(), sizes.batch(), sizes.queueRows(), sizes.lossFloor());
      case SLOW -> stuck(step, loss) + slow();
      case UNIFORM ->
          stuck(step, loss)
              + text(
                  "the codes are nearly uniform (entropy %.2f of ln K = %.2f): take a lower"
                      + " `epsilon` (0.03) or a longer `freezeEpochs`",
                  health.codeEntropy(), sizes.logK());
      case STUCK ->
          stuck(step, loss)
              + "take a higher `learningRate`, a longer `freezeEpochs`, or ease the augmentation (larger `scales`)";
      case UNSTABLE ->
          text(
              "the loss was down at %.3f and is at %.3f: training is not stable at `learningRate` %s with"
                  + " a batch of %d; if it doesn't come down again, start with half of that",
              lowest,
              loss,
              TrainingConfig.number(config.optimisation().learningRate()),
              sizes.batch());
      case DIVERGED ->
          text(
              "after %d steps the loss, %.3f, is far above that of chance, ln K = %.3f: crops predict"
                  + " the wrong prototypes with confidence, so training has diverged at"
                  + " `learningRate` %s with a batch of %d; start again with %s or less, or a longer"
                  + " `warmupEpochs`",
              step,
              loss,
              sizes.logK(),
              TrainingConfig.number(config.optimisation().learningRate()),
              sizes.batch(),
              twoDigits(Math.min(config.optimisation().learningRate() / 2, usualRate())));
      case COLLAPSING ->
          text(
              "one prototype is the best of %.0f %% of the images: take a lower `epsilon` or `learningRate`",
              100 * health.largest());
      case COPIES ->
          text(
              "only %d of %d prototypes are distinct, and copies stay copies: take fewer"
                  + " `prototypes`, or a longer `freezeEpochs`",
              Math.round(health.distinct() * sizes.prototypes()), sizes.prototypes());
      default -> throw new IllegalStateException("nothing to say of " + finding);
    };
  }

  private static String stuck(long step, double loss) {
    return text("after %d steps the loss, %.3f, is still that of chance, ln K: ", step, loss);
  }

  private static String twoDigits(double value) {
    return TrainingConfig.number(new BigDecimal(value).round(new MathContext(2)).doubleValue());
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
