package org.swav4j.train.advice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.loop.StepMetrics;

class CollapseMonitorTest {
  private static final int IMAGES = 10_000;
  private static final double LOG_K = Math.log(200);
  private static final EpochDiagnostics HEALTHY = health(0.9, 0.02, 1);
  private static final long LATE = 2000;

  private static EpochDiagnostics health(double spread, double largest, double distinct) {
    return new EpochDiagnostics(0.3 * LOG_K, 0.3 * LOG_K, 0.9, largest, spread, distinct);
  }

  /** 39 steps an epoch, no warm-up. */
  private static CollapseMonitor monitor(String... flags) {
    Map<String, String> all = new LinkedHashMap<>();
    Stream.concat(
            Stream.of("--batch=256", "--prototypes=200", "--epochs=100", "--warmup=0"),
            Stream.of(flags))
        .forEach(flag -> all.put(flag.split("=", 2)[0], flag));
    return monitor(TrainingConfigTest.quick(all.values().toArray(String[]::new)), IMAGES);
  }

  private static CollapseMonitor monitor(TrainingConfig config, int images) {
    return new CollapseMonitor(config, RunSizes.of(config, images));
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void presetsForetellNothing(Preset preset) {
    assertThat(monitor(preset.config(), IMAGES).beforeTraining()).isEmpty();
  }

  @Test
  void aHealthyRunHearsNothing() {
    assertThat(monitor().beforeTraining()).isEmpty();
    assertThat(monitor().afterEpoch(LATE, 0.6 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor().afterEpoch(LATE, 0.6 * LOG_K, EpochDiagnostics.UNKNOWN)).isEmpty();
  }

  /** Flags, and what the only line must say. */
  record Doubtful(List<String> says, String... flags) {
    static Doubtful of(List<String> says, String... flags) {
      return new Doubtful(says, flags);
    }
  }

  static Stream<Doubtful> doubtful() {
    return Stream.of(
        Doubtful.of(
            List.of(
                "3000 prototypes for a batch of 256:",
                "ln(K/(B+L)) = 2.46 (0.31 ln K)",
                "256 `prototypes`",
                "`queueLength` of 2816 with a `queueStartEpoch`"),
            "--prototypes=3000"),
        Doubtful.of(
            List.of("batch of 256 and a queue of 512", "= 1.36", "768 `prototypes`"),
            "--prototypes=3000",
            "--queue=512"),
        Doubtful.of(List.of("rounded down to 0", "leaves none"), "--queue=60"),
        Doubtful.of(List.of("longer than the 10000 images", "at most 5000"), "--queue=10240"),
        Doubtful.of(
            List.of("queue of 2304", "of 9 steps", "`queueStartEpoch`", "shorter `queueLength`"),
            "--queue=2304"),
        Doubtful.of(
            List.of("starts at step 3861 of 3900", "takes 39 to fill", "never used"),
            "--queue=9984",
            "--queue-start=99"),
        Doubtful.of(List.of("frozen for 60 of 100 epochs"), "--freeze=60"),
        Doubtful.of(
            List.of(
                "rate of 0.001 with lars",
                "1e-06 of their norm",
                "of about 0.60, 0.6 per 256 images (`learningRate`)"),
            "--optimiser=lars",
            "--lr=0.001"),
        // Neither are prototypes short of samples, nor does the queue matter.
        Doubtful.of(
            List.of("codes without balancing (`kind` unbalanced)", "collapse"),
            "--codes=unbalanced",
            "--prototypes=3000",
            "--queue=60"),
        Doubtful.of(List.of("only 78 steps", "24 or more `epochs`"), "--epochs=2"));
  }

  @ParameterizedTest
  @MethodSource
  void doubtful(Doubtful settings) {
    assertThat(monitor(settings.flags).beforeTraining())
        .singleElement()
        .asString()
        .contains(settings.says)
        .doesNotContain("\n");
  }

  @Test
  void aLongQueueThatStartsLaterIsNoTrouble() {
    assertThat(monitor("--queue=2304", "--queue-start=1").beforeTraining()).isEmpty();
    assertThat(monitor("--queue=2048").beforeTraining()).isEmpty();
  }

  @Test
  void featuresWorseThanUntrainedOnesAreReportedOnceAndBlamedOnALongQueue() {
    CollapseMonitor monitor = monitor("--queue=2304");
    assertThat(monitor.afterEvaluation(0, 0.72)).isEmpty();
    assertThat(monitor.afterEvaluation(599, 0.6)).as("an early dip").isEmpty();
    assertThat(monitor.afterEvaluation(600, 0.67)).isEmpty();
    assertThat(monitor.afterEvaluation(900, Double.NaN)).isEmpty();
    assertThat(monitor.afterEvaluation(1000, 0.6))
        .hasValueSatisfying(
            line ->
                assertThat(line)
                    .contains(
                        "after 1000 steps", "60.0 %", "72.0 %", "9 steps old", "`queueStartEpoch`")
                    .doesNotContain("`jitter`"));
    assertThat(monitor.afterEvaluation(1039, 0.6)).isEmpty();
    assertThat(monitor.afterEvaluation(1078, 0.7)).isEmpty();
    assertThat(monitor.state(1078)).as("not as good again").isEqualTo(HealthState.WORSE);
    assertThat(monitor.afterEvaluation(1117, 0.6)).isEmpty();
    assertThat(monitor.afterEvaluation(1156, 0.73)).isEmpty();
    assertThat(monitor.state(1156)).isEqualTo(HealthState.HEALTHY);
    assertThat(monitor.afterEvaluation(1195, 0.6)).isPresent();
  }

  @ParameterizedTest
  @CsvSource({
    "0.72, 0.671, false", "0.72, 0.669, true", // 5 points
    "0.2, 0.161, false", "0.2, 0.159, true", // a fifth
    "0.1, 0.071, false", "0.1, 0.069, true", // 3 points
    "0.14, 0.096, true" // what a run without augmentation came to
  })
  void howMuchWorseIsTooMuchGoesByTheUntrainedNetwork(
      double untrained, double accuracy, boolean worse) {
    CollapseMonitor monitor = monitor();
    assertThat(monitor.afterEvaluation(0, untrained)).isEmpty();
    assertThat(monitor.afterEvaluation(1000, accuracy).isPresent()).isEqualTo(worse);
  }

  @Test
  void withoutALongQueueTheAugmentationIsBlamed() {
    CollapseMonitor monitor = monitor();
    assertThat(monitor.afterEvaluation(0, 0.72)).isEmpty();
    assertThat(monitor.afterEvaluation(1000, 0.6))
        .hasValueSatisfying(
            line -> assertThat(line).contains("stronger `jitter`").doesNotContain("`queueLength`"));
  }

  /** Where crops hardly predict each other, nothing tells them apart too easily. */
  @Test
  void augmentationIsTooStrongRatherThanTooWeakWhileTheLossIsHigh() {
    CollapseMonitor monitor = monitor();
    assertThat(monitor.afterEvaluation(0, 0.714)).isEmpty();
    assertThat(monitor.afterEpoch(936, 0.97 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEvaluation(936, 0.647))
        .hasValueSatisfying(
            line ->
                assertThat(line)
                    .contains("0.97 ln K", "weaker `jitter`")
                    .doesNotContain("stronger"));
    monitor.afterEvaluation(1000, 0.72);
    assertThat(monitor.afterEpoch(1404, 0.6 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEvaluation(1404, 0.647))
        .hasValueSatisfying(line -> assertThat(line).contains("stronger `jitter`"));
  }

  @Test
  void withoutAnUntrainedAccuracyFeaturesAreNotJudged() {
    assertThat(monitor().afterEvaluation(1000, 0.1)).isEmpty();
  }

  @Test
  void aQueueThatTheDataAreTooFewForIsNotSuggested() {
    TrainingConfig config = TrainingConfigTest.quick("--prototypes=3000", "--epochs=100");
    assertThat(monitor(config, 1000).beforeTraining())
        .singleElement()
        .asString()
        .contains("at most 64 `prototypes` or a larger `batch`")
        .doesNotContain("`queueLength`");
  }

  @Test
  void aLossAtLogKIsReportedOnceAfterPatienceAndAgainAfterRecovery() {
    CollapseMonitor monitor = monitor("--warmup=1");
    assertThat(monitor.afterEpoch(39 + 299, 0.999 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(39 + 300, 0.999 * LOG_K, HEALTHY))
        .hasValueSatisfying(
            line ->
                assertThat(line)
                    .contains("after 339 steps", "5.293", "`learningRate`", "`scales`"));
    assertThat(monitor.afterEpoch(400, 0.999 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(500, 0.6 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(600, 0.999 * LOG_K, HEALTHY)).isPresent();
  }

  @Test
  void aLossThatRisesAgainIsBlamedOnTheLearningRate() {
    CollapseMonitor monitor = monitor("--lr=0.4");
    assertThat(monitor.afterEpoch(1000, 0.5 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(1039, 0.59 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(1078, 0.61 * LOG_K, HEALTHY))
        .hasValueSatisfying(
            line ->
                assertThat(line).contains("2.649", "3.232", "`learningRate` 0.4", "batch of 256"));
    assertThat(monitor.afterEpoch(1117, 0.45 * LOG_K, HEALTHY)).isEmpty();
  }

  @Test
  void aLossThatRisesAboveChanceIsBlamedOnTheLearningRateToo() {
    CollapseMonitor monitor = monitor("--lr=0.4");
    assertThat(monitor.afterEpoch(1000, 0.5 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(1039, 1.02 * LOG_K, HEALTHY))
        .as("near chance, but not stuck there")
        .hasValueSatisfying(
            line ->
                assertThat(line)
                    .contains("`learningRate` 0.4", "half")
                    .doesNotContain("higher `learningRate`"));
    assertThat(monitor("--lr=0.4").afterEpoch(LATE, 1.5 * LOG_K, HEALTHY))
        .as("never seen lower")
        .hasValueSatisfying(
            line ->
                assertThat(line)
                    .contains(
                        "7.947", "ln K = 5.298", "diverged at `learningRate` 0.4", "0.2 or less")
                    .doesNotContain("higher `learningRate`"));
    assertThat(monitor("--lr=0.4").afterEpoch(LATE, 1.05 * LOG_K, HEALTHY))
        .hasValueSatisfying(line -> assertThat(line).contains("higher `learningRate`"));
  }

  private static EpochMetrics epoch(int epoch, double loss, double knn) {
    return new EpochMetrics(
        epoch,
        39L * epoch,
        loss,
        loss / LOG_K,
        500,
        0,
        FeatureQuality.UNKNOWN.withKnn(knn),
        epoch == 0 ? EpochDiagnostics.UNKNOWN : HEALTHY,
        "",
        List.of());
  }

  /** What is said after each epoch from number {@code from} on. */
  private static List<String> advice(CollapseMonitor monitor, List<EpochMetrics> epochs, int from) {
    return epochs.stream()
        .skip(from)
        .map(
            e ->
                (e.epoch() == 0 ? "" : monitor.afterEpoch(e.step(), e.loss(), e.health()))
                    + " "
                    + monitor.afterEvaluation(e.step(), e.knn()))
        .toList();
  }

  @Test
  void aResumedRunHearsWhatAnUninterruptedOneHears() {
    double nan = Double.NaN;
    List<EpochMetrics> epochs =
        List.of(
            epoch(0, nan, 0.72),
            epoch(8, 0.999 * LOG_K, 0.7),
            epoch(9, 0.999 * LOG_K, nan), // stuck
            epoch(16, 0.5 * LOG_K, 0.6), // worse than untrained
            epoch(17, 0.5 * LOG_K, 0.6),
            epoch(18, 0.65 * LOG_K, 0.6), // risen
            epoch(19, 0.65 * LOG_K, 0.73),
            epoch(20, 0.5 * LOG_K, 0.6)); // worse again
    List<String> whole = advice(monitor(), epochs, 0);
    assertThat(whole.stream().filter(a -> a.contains("[")).count()).isEqualTo(4);
    for (int done = 1; done < epochs.size(); done++) {
      CollapseMonitor resumed = monitor();
      resumed.resume(List.of(), epochs.subList(0, done));
      assertThat(advice(resumed, epochs, done))
          .as("after a resume with %d lines of the log", done)
          .isEqualTo(whole.subList(done, whole.size()));
    }
  }

  /**
   * A step, what the stretch that ends there shows if one does, and the loss of the epoch that ends
   * there, NaN if none does.
   */
  private record Step(
      long number, double loss, double score, Optional<Vitals> stretch, double epochLoss) {
    static Step of(long number, double loss, double score) {
      return new Step(number, loss, score, Optional.empty(), Double.NaN);
    }

    /** The last of a stretch whose codes have this entropy, as a share of ln K. */
    static Step last(long number, double entropy) {
      Vitals v = new Vitals(number + 1, 0.99 * LOG_K, entropy * LOG_K, 0.9, 0.5, 0.9, 0, 0.1, 0.6);
      return new Step(number, 0.99 * LOG_K, 0.9, Optional.of(v), Double.NaN);
    }

    Step withEpoch(double mean) {
      return new Step(number, loss, score, stretch, mean);
    }
  }

  /** What a run's log would hold, and what was heard at each step. */
  private record Told(List<StepMetrics> steps, List<EpochMetrics> epochs, List<String> heard) {
    static Told to(CollapseMonitor monitor, List<Step> run) {
      Told told = new Told(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      run.forEach(step -> told.add(monitor, step));
      return told;
    }

    private void add(CollapseMonitor monitor, Step s) {
      List<String> advice = new ArrayList<>();
      monitor.afterStep(s.number, s.loss, () -> s.score).ifPresent(advice::add);
      s.stretch.flatMap(monitor::afterStretch).ifPresent(advice::add);
      StepMetrics step =
          new StepMetrics(0, s.number, s.loss, s.loss / LOG_K, 0.1, 0, 0.05, 0, advice);
      steps.add(s.stretch.isEmpty() ? step : step.withStretch(monitor.lastStretch().label()));
      String ofEpoch = "";
      if (!Double.isNaN(s.epochLoss)) {
        ofEpoch = monitor.afterEpoch(s.number + 1, s.epochLoss, HEALTHY).orElse("");
        epochs.add(
            new EpochMetrics(
                epochs.size() + 1,
                s.number + 1,
                s.epochLoss,
                s.epochLoss / LOG_K,
                500,
                0,
                FeatureQuality.UNKNOWN,
                HEALTHY,
                "",
                List.of()));
      }
      heard.add(advice + ofEpoch + " " + monitor.state(s.number + 1));
    }
  }

  @Test
  void aRunResumedAfterAnyStepHearsWhatAnUninterruptedOneHears() {
    double healthy = 0.3;
    double uniform = 1;
    List<Step> run =
        List.of(
            Step.of(0, 1.4 * LOG_K, 0.9), // so that divergence begins at 1.75 ln K
            Step.last(49, healthy),
            Step.last(99, uniform),
            Step.last(149, uniform), // uniform: twice in a row
            Step.last(199, uniform),
            Step.last(249, healthy),
            Step.last(299, uniform),
            Step.last(349, uniform), // uniform again
            Step.of(360, 2 * LOG_K, 3), // unnormalised
            Step.of(370, 2 * LOG_K, 3),
            Step.last(399, healthy),
            Step.of(410, 2 * LOG_K, 0.9), // diverged
            Step.last(449, uniform),
            Step.last(499, uniform), // known to have diverged
            Step.of(510, 2 * LOG_K, 0.9).withEpoch(0.5 * LOG_K),
            Step.of(520, 2 * LOG_K, 0.9), // diverged again
            Step.last(549, healthy));
    Told whole = Told.to(monitor(), run);
    assertThat(whole.heard.stream().filter(h -> !h.startsWith("[] "))).hasSize(5);
    for (int done = 1; done < run.size(); done++) {
      long step = run.get(done - 1).number + 1;
      CollapseMonitor resumed = monitor();
      resumed.resume(
          whole.steps.subList(0, done),
          whole.epochs.stream().filter(e -> e.step() <= step).toList());
      assertThat(Told.to(resumed, run.subList(done, run.size())).heard)
          .as("after a resume at step %d", step)
          .isEqualTo(whole.heard.subList(done, run.size()));
    }
  }

  @Test
  void whatALogWithoutStretchesTellsIsNotSaidAgain() {
    List<Step> run = List.of(Step.last(99, 1), Step.last(149, 1));
    Told told = Told.to(monitor(), run);
    assertThat(told.heard.get(1)).startsWith("[uniform after 150 steps: ");
    CollapseMonitor resumed = monitor();
    resumed.resume(told.steps.stream().map(s -> s.withStretch("")).toList(), List.of());
    assertThat(Told.to(resumed, List.of(Step.last(199, 1))).heard).containsExactly("[] UNIFORM");
  }

  @Test
  void aLossThatRisesWithTheQueueIsNoTrouble() {
    CollapseMonitor monitor = monitor("--prototypes=200", "--queue=512", "--queue-start=30");
    long start = 30 * 39;
    assertThat(monitor.afterEpoch(start, 0.5 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(start + 39, 0.65 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(start + 78, 0.7 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterEpoch(start + 117, 0.85 * LOG_K, HEALTHY)).isPresent();
  }

  @Test
  void eachKindOfTroubleGetsItsOwnAdvice() {
    double learning = 0.9 * LOG_K;
    assertThat(monitor().afterEpoch(39, LOG_K, health(0.01, 0.9, 0.1)))
        .as("needs no patience")
        .hasValueSatisfying(line -> assertThat(line).startsWith("collapsed").contains("0.010"));
    assertThat(monitor().afterEpoch(LATE, learning, health(0.9, 0.7, 1)))
        .hasValueSatisfying(line -> assertThat(line).contains("70 %"));
    assertThat(monitor().afterEpoch(LATE, learning, health(0.9, 0.02, 0.5)))
        .hasValueSatisfying(line -> assertThat(line).contains("100 of 200"));
    assertThat(
            monitor("--optimiser=lars", "--lr=0.001")
                .afterEpoch(LATE, LOG_K, EpochDiagnostics.UNKNOWN))
        .hasValueSatisfying(line -> assertThat(line).contains("0.001 with lars"));
    assertThat(
            monitor()
                .afterEpoch(
                    LATE, LOG_K, new EpochDiagnostics(0.95 * LOG_K, 0.05, 0.9, 0.02, 0.9, 1)))
        .hasValueSatisfying(
            line -> assertThat(line).contains("nearly uniform (entropy 5.03", "`epsilon`"));
    CollapseMonitor few = monitor("--batch=32");
    assertThat(few.afterEpoch(39, 1.01 * Math.log(200 / 32.0), HEALTHY))
        .hasValueSatisfying(line -> assertThat(line).contains("reached the lowest", "= 1.83"));
  }

  @Test
  void theFloorIsThatOfTheQueueOnlyIfItIsEverFull() {
    TrainingConfig used =
        TrainingConfigTest.quick("--batch=256", "--prototypes=3000", "--queue=2560");
    assertThat(RunSizes.of(used, IMAGES).lossFloor())
        .isCloseTo(Math.log(3000 / 2816.0), within(1e-12));
    TrainingConfig late =
        TrainingConfigTest.quick(
            "--batch=256", "--prototypes=3000", "--queue=2560", "--queue-start=5.8");
    assertThat(RunSizes.of(late, IMAGES).lossFloor())
        .isCloseTo(Math.log(3000 / 256.0), within(1e-12));
  }

  @Test
  void aStepFarAboveChanceIsDivergenceAtOnceAndSaidOnceUntilALossComesDown() {
    CollapseMonitor monitor = monitor("--lr=5", "--epochs=2");
    assertThat(monitor.afterStep(0, 1.2 * LOG_K, () -> 1)).isEmpty();
    assertThat(monitor.afterStep(1, 1.49 * LOG_K, () -> 1)).isEmpty();
    assertThat(monitor.afterStep(2, 1.51 * LOG_K, () -> 1))
        .hasValueSatisfying(
            line ->
                assertThat(line)
                    .contains("after 3 steps", "diverged at `learningRate` 5", "with 0.4 or less")
                    .contains("`warmupEpochs`"));
    assertThat(monitor.afterStep(3, 2 * LOG_K, () -> 1)).as("said before").isEmpty();
    assertThat(monitor.afterEpoch(39, 1.8 * LOG_K, HEALTHY)).as("said before").isEmpty();
    assertThat(monitor.afterStep(40, 2 * LOG_K, () -> 1)).as("still so").isEmpty();
    assertThat(monitor.afterEpoch(78, 0.8 * LOG_K, HEALTHY)).isEmpty();
    assertThat(monitor.afterStep(79, 2 * LOG_K, () -> 1)).as("again").isPresent();
  }

  @Test
  void theLossOfAnUntrainedNetworkOfFewDimensionsIsNoDivergence() {
    CollapseMonitor monitor = monitor("--prototypes=8");
    double chance = Math.log(8);
    assertThat(monitor.afterStep(0, 2.4 * chance, () -> 1)).isEmpty();
    assertThat(monitor.afterStep(1, 2.6 * chance, () -> 1)).isEmpty();
    assertThat(monitor.afterStep(2, 3.1 * chance, () -> 1)).isPresent();
  }

  @Test
  void aResumedRunIsNotToldAgainOfTheDivergenceBefore() {
    CollapseMonitor monitor = monitor("--lr=5");
    Told told = Told.to(monitor("--lr=5"), List.of(Step.of(0, LOG_K, 1), Step.of(1, 2 * LOG_K, 1)));
    monitor.resume(told.steps, List.of(epoch(1, 2 * LOG_K, Double.NaN)));
    assertThat(monitor.afterStep(39, 2 * LOG_K, () -> 1)).isEmpty();
  }
}
