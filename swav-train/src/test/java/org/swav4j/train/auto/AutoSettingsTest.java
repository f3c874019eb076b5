package org.swav4j.train.auto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swav4j.data.DataSpec;
import org.swav4j.model.Architecture;
import org.swav4j.model.Stem;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.advice.CollapseMonitor;
import org.swav4j.train.advice.HealthState;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.RunSizes;

class AutoSettingsTest {
  /** A machine on which a step of a ResNet-18 takes a second, and of a ResNet-20 a tenth. */
  private static final Pace SLOW =
      pace(c -> c.network().architecture() == Architecture.RESNET20 ? 0.1 : 1, 0.001);

  private static Pace pace(ToDoubleFunction<TrainingConfig> step, double judged) {
    return new Pace() {
      @Override
      public double step(TrainingConfig config, double longest) {
        return step.applyAsDouble(config);
      }

      @Override
      public double judged(TrainingConfig config) {
        return judged;
      }
    };
  }

  private static AutoSettings.Selection choose(
      int images, int side, boolean grey, Duration budget) {
    return AutoSettings.choose(
        new DataSurvey(images, side, grey, 60), Map.of("data", "folder:x"), budget, () -> 0, SLOW);
  }

  @ParameterizedTest(name = "{0} images of {1} pixels, grey {2}, in {3} hours")
  @CsvSource({
    "1300, 128, false, 1",
    "9469, 128, false, 2",
    "50000, 32, false, 1",
    "60000, 28, true, 2",
    "9469, 96, true, 1",
    "330, 20, false, 1",
    "1000000, 256, false, 24"
  })
  void whatIsChosenForetellsNoTroubleAndFitsTheBudget(
      int images, int side, boolean grey, int hours) {
    AutoSettings.Selection selection = choose(images, side, grey, Duration.ofHours(hours));
    TrainingConfig config = selection.config();
    RunSizes sizes = RunSizes.of(config, images);
    assertThat(new CollapseMonitor(config, sizes).beforeTraining()).isEmpty();
    assertThat(sizes.lossFloor()).isZero();
    assertThat(sizes.stepsPerEpoch()).isGreaterThanOrEqualTo(20);
    assertThat(config.crops().get(0).size()).isLessThanOrEqualTo(side);
    assertThat(selection.seconds()).isLessThanOrEqualTo(hours * 3600 * 1.02);
    assertThat(selection.choices()).allSatisfy(c -> assertThat(c.reason()).isNotBlank());
    selection
        .choices()
        .forEach(
            c ->
                assertThat(
                        Settings.all().stream()
                            .filter(f -> f.setting().flag().equals(c.flag()))
                            .findFirst()
                            .orElseThrow()
                            .in(config))
                    .as(c.flag())
                    .isEqualTo(c.value()));
  }

  @Test
  void theTrunkIsTheStrongestThatThereIsTimeFor() {
    assertThat(choose(9469, 128, false, Duration.ofHours(2)).config().network().architecture())
        .isEqualTo(Architecture.RESNET18);
    assertThat(choose(9469, 128, false, Duration.ofMinutes(20)).config().network().architecture())
        .isEqualTo(Architecture.RESNET20);
    assertThat(choose(9469, 128, false, Duration.ofMinutes(2)).choices().toString())
        .contains("a longer `budget` helps");
  }

  @Test
  void smallImagesGiveAwayPixelsWhereThereIsNoTimeForEnoughStepsOtherwise() {
    // A machine on which a step takes 1, 0.1 and 0.01 seconds.
    Pace three = pace(c -> SLOW.step(c, 1) * (c.network().stem() == Stem.SMALL ? 1 : 0.1), 0.0001);
    String[] chosen = new String[3];
    int[] minutes = {100, 10, 1};
    for (int i = 0; i < 3; i++) {
      TrainingConfig config =
          AutoSettings.choose(
                  new DataSurvey(50_000, 32, false, 60),
                  Map.of("data", "folder:x"),
                  Duration.ofMinutes(minutes[i]),
                  () -> 0,
                  three)
              .config();
      chosen[i] = config.network().architecture() + " " + config.network().stem();
    }
    assertThat(chosen).containsExactly("RESNET18 SMALL", "RESNET20 SMALL", "RESNET20 IMAGENET");
  }

  @Test
  void precisionIsTheFastestThatCanBeComputedHere() {
    TrainingConfig config = choose(9469, 128, false, Duration.ofHours(1)).config();
    boolean bf16 = Engines.canRun("auto", Precision.BF16);
    assertThat(config.execution().precision()).isEqualTo(bf16 ? "bf16" : "float");
    TrainingConfig everywhere =
        AutoSettings.choose(
                new DataSurvey(9469, 128, false, 60),
                Map.of("data", "folder:x", "engine", "nd4j"),
                Duration.ofHours(1),
                () -> 0,
                SLOW)
            .config();
    assertThat(everywhere.execution().precision()).isEqualTo("float");
  }

  @Test
  void greyImagesGetNoColour() {
    TrainingConfig config = choose(60_000, 28, true, Duration.ofHours(1)).config();
    assertThat(config.augmentation().greyProbability()).isZero();
    assertThat(config.augmentation().solariseProbability()).isEqualTo(0.2);
    assertThat(config.crops().get(0).size()).isEqualTo(28);
  }

  @Test
  void whatIsGivenStaysAndWhatFollowsFromItChanges() {
    AutoSettings.Selection selection =
        AutoSettings.choose(
            new DataSurvey(9469, 128, false, 60),
            Map.of("data", "folder:x", "batch", "32", "arch", "resnet34", "epochs", "7"),
            Duration.ofHours(1),
            () -> 0,
            SLOW);
    TrainingConfig config = selection.config();
    assertThat(config.optimisation().batch()).isEqualTo(32);
    assertThat(config.network().prototypes()).isEqualTo(30);
    assertThat(config.optimisation().learningRate()).isEqualTo(0.05);
    assertThat(config.network().architecture()).isEqualTo(Architecture.RESNET34);
    assertThat(config.optimisation().epochs()).isEqualTo(7);
    assertThat(selection.choices())
        .noneMatch(c -> c.flag().equals("batch") || c.flag().equals("arch"));
    assertThat(selection.seconds()).isBetween(7 * 295.0, 1.25 * 7 * 295);
  }

  @Test
  void cropsAndOptimiserThatAreGivenTakeAlongWhatBelongsToThem() {
    TrainingConfig config =
        AutoSettings.choose(
                new DataSurvey(9469, 128, false, 60),
                Map.of("data", "folder:x", "crops", "2x48", "optimiser", "lars"),
                Duration.ofHours(1),
                () -> 0,
                SLOW)
            .config();
    assertThat(config.crops()).singleElement().extracting(c -> c.size()).isEqualTo(48);
    assertThat(config.optimisation().learningRate()).isEqualTo(0.3);

    AutoSettings.Selection many =
        AutoSettings.choose(
            new DataSurvey(9469, 128, false, 60),
            Map.of("data", "folder:x", "prototypes", "300"),
            Duration.ofHours(1),
            () -> 0,
            SLOW);
    assertThat(many.config().queueRows()).isEqualTo(256);
    assertThat(RunSizes.of(many.config(), 9469).lossFloor()).isZero();
  }

  @Test
  void aNetworkThatDoesNotFitIntoMemoryIsPassedOver() {
    DataSurvey survey = new DataSurvey(50_000, 60, false, 60);
    Pace little =
        pace(c -> c.network().stem() == Stem.SMALL ? Double.POSITIVE_INFINITY : 0.1, 0.001);
    AutoSettings.Selection selection =
        AutoSettings.choose(
            survey, Map.of("data", "folder:x"), Duration.ofHours(1), () -> 0, little);
    assertThat(selection.config().network().stem()).isEqualTo(Stem.IMAGENET);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                AutoSettings.choose(
                    survey,
                    Map.of("data", "folder:x", "stem", "small", "crops", "2x60"),
                    Duration.ofHours(1),
                    () -> 0,
                    little))
        .withMessage(
            "a `batch` of 128 with `crops` 2x60 takes more memory than there is, even with"
                + " resnet20: take fewer or smaller ones");
  }

  @Test
  void noMoreImagesAreJudgedThanThereIsTimeFor() {
    Map<String, String> given = Map.of("data", "folder:x");
    Duration hour = Duration.ofHours(1);
    DataSurvey survey = new DataSurvey(20_000, 256, false, 60);
    Pace large = pace(c -> 1, 0.1);
    AutoSettings.Selection selection = AutoSettings.choose(survey, given, hour, () -> 0, large);
    TrainingConfig.Evaluation judged = selection.config().evaluation();
    assertThat(judged.bankImages()).isEqualTo(1080);
    assertThat(judged.testImages()).isEqualTo(360);
    assertThat(selection.seconds()).isBetween(3000.0, 3672.0);
    assertThat(selection.choices())
        .contains(new Choice("eval-bank", "1080", "an image takes 100 ms to be judged"));
    AutoSettings.Selection small = AutoSettings.choose(survey, given, hour, () -> 0, SLOW);
    assertThat(small.choices()).noneMatch(c -> c.flag().equals("eval-bank"));
  }

  @Test
  void whatChoosingTookIsOfTheBudget() {
    DataSurvey survey = new DataSurvey(9469, 128, false, 60);
    Duration budget = Duration.ofMinutes(20);
    Map<String, String> given = Map.of("data", "folder:x");
    AutoSettings.Selection late = AutoSettings.choose(survey, given, budget, () -> 300, SLOW);
    AutoSettings.Selection soon = AutoSettings.choose(survey, given, budget, () -> 0, SLOW);
    assertThat(late.seconds()).isBetween(900.0, 1224.0);
    assertThat(soon.seconds()).isBetween(900.0, 1224.0);
    assertThat(late.config().optimisation().epochs())
        .isLessThan(soon.config().optimisation().epochs());
  }

  @Test
  void aSurveySaysWhatTheImagesAreLike() {
    DataSurvey shapes = DataSurvey.of(DataSpec.parse("shapes:100").open().train());
    assertThat(shapes.images()).isEqualTo(100);
    assertThat(shapes.side()).isEqualTo(48);
    assertThat(shapes.grey()).isFalse();
    assertThat(shapes.contrast()).isBetween(20.0, 110.0);
  }

  @Test
  void aRemedyTurnsOneKnobOfWhatWasChosen() {
    TrainingConfig config = Preset.PHOTOS.config();
    assertThat(Remedy.of(HealthState.DIVERGED, config).orElseThrow().value()).isEqualTo("0.05");
    assertThat(Remedy.of(HealthState.SLOW, config).orElseThrow().value()).isEqualTo("0.4");
    assertThat(Remedy.of(HealthState.UNIFORM, config).orElseThrow().flag()).isEqualTo("jitter");
    TrainingConfig soft = Settings.change(config, Map.of("epsilon", "0.05"));
    assertThat(Remedy.of(HealthState.UNIFORM, soft).orElseThrow())
        .isEqualTo(new Choice("epsilon", "0.03", "codes said nothing"));
    assertThat(Remedy.of(HealthState.STARVED, config).orElseThrow().value()).isEqualTo("128");
    assertThat(Remedy.of(HealthState.BLANK, config)).isEmpty();
    for (HealthState state : HealthState.values()) {
      Remedy.of(state, config).ifPresent(c -> Settings.change(config, Map.of(c.flag(), c.value())));
    }
  }
}
