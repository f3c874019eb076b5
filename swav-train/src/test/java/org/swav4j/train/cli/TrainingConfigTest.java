package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.swav4j.data.CropSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavConfig;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.RunSizes;
import picocli.CommandLine;

public class TrainingConfigTest {
  /** The quick preset with flags, as the command line would make it. */
  public static TrainingConfig quick(String... flags) {
    return with(Preset.QUICK, flags);
  }

  public static TrainingConfig with(Preset preset, String... flags) {
    return with(preset.config(), flags);
  }

  /** Any configuration with flags. */
  public static TrainingConfig with(TrainingConfig config, String... flags) {
    CommandLine.ParseResult given =
        new CommandLine(new TrainCommand()).setOverwrittenOptionsAllowed(true).parseArgs(flags);
    return Settings.change(config, SettingOptions.given(given));
  }

  @Test
  void aroundABackboneOfOnesOwnTheNetworkIsTheConfigurations() {
    TrainingConfig config =
        quick("--hidden=20", "--dim=10", "--prototypes=7", "--heads=2", "--temperature=0.2");
    assertThat(config.network().aroundBackbone(1))
        .isEqualTo(SwavConfig.aroundBackbone(1, 20, 10, 14, 0.2));
  }

  public static Stream<List<String>> refused() {
    return Stream.of(
        List.of("`epsilon` is 0.0", "--epsilon", "0"),
        List.of("`epsilon` is NaN", "--epsilon", "NaN"),
        List.of("`learningRate` is NaN", "--lr", "NaN"),
        List.of("`learningRate` is -1.0", "--lr", "-1"),
        List.of(
            "`scales` is '0.3-1', expected as many parts as `crops` has, which is 2",
            "--scales",
            "0.3-1"),
        List.of("has 3 groups, and there are scales for 2", "--crops", "2x32,2x24,2x16"),
        List.of("`crops` is '2y32', expected NxS such as 2x32", "--crops", "2y32"),
        List.of(
            "`scales` is '0.3', expected MIN-MAX such as 0.3-1",
            "--crops",
            "2x32",
            "--scales",
            "0.3"),
        List.of("crop scale 1.0 to 0.3", "--crops", "2x32", "--scales", "1-0.3"),
        List.of("at least two crops", "--crops", "1x32", "--assigning", "1"),
        List.of("`assigning` is 7, expected at most 6", "--assigning", "7"),
        List.of("`batch` is 1", "--batch", "1"),
        List.of("`epochs` is 0", "--epochs", "0"),
        List.of("`warmupEpochs` is 20.0", "--warmup", "20", "--epochs", "3"),
        List.of("`momentum` is 1.0", "--momentum", "1"),
        List.of("`iterations` is 0", "--sinkhorn-iterations", "0"),
        List.of("`architecture` is 'vit', expected resnet18", "--arch", "vit"),
        List.of("`optimiser` is 'adam', expected sgd or lars", "--optimiser", "adam"),
        List.of("`engine` is 'cuda'", "--engine", "cuda"),
        List.of("`precision` is 'fp8'", "--precision", "fp8"),
        List.of("`precision` is bf16", "--precision", "bf16", "--engine", "nd4j"),
        List.of("belong together", "--mean", "0.5,0.5,0.5"),
        List.of(
            "`mean` is 'grey', expected R,G,B such as 0.485", "--mean", "grey", "--deviation", "1"),
        List.of(
            "one value for each of 1 channels",
            "--mean",
            "0,0,0",
            "--deviation",
            "1,1,1",
            "--channels",
            "1"),
        List.of("`prototypes` is 1", "--prototypes", "1"),
        List.of("blur probability", "--blur", "2"));
  }

  @ParameterizedTest
  @MethodSource
  void refused(List<String> messageThenFlags) {
    String[] flags = messageThenFlags.stream().skip(1).toArray(String[]::new);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> quick(flags))
        .withMessageContaining(messageThenFlags.get(0))
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void presetWithoutFlagsStaysAsItIs(Preset preset) {
    assertThat(with(preset)).isEqualTo(preset.config());
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void everyFlagGivenAsAPresetHasItChangesNothing(Preset preset) {
    String[] flags =
        Settings.all().stream()
            .map(f -> "--" + f.setting().flag() + "=" + f.in(preset.config()))
            .toArray(String[]::new);
    assertThat(with(preset, flags)).isEqualTo(preset.config());
  }

  @Test
  void everySettingIsAnOptionWithHelpAndALineOfThePresetTable() {
    String help = CommandLineTest.swav("train", "--help").out();
    for (Settings.Field field : Settings.all()) {
      String flag = "--" + field.setting().flag();
      assertThat(help)
          .containsPattern(
              "(?m)^ +"
                  + flag
                  + (field.type() == boolean.class ? "" : "=")
                  + Pattern.quote(field.setting().label()));
      assertThat(help)
          .containsPattern("(?m)^  " + flag + " +" + Pattern.quote(field.in(Preset.QUICK)));
    }
    assertThat(help)
        .containsPattern("--arch +resnet20 +resnet18 +resnet18 +resnet50\n")
        .doesNotContain("`");
  }

  @Test
  void namesInMessagesBecomeFlagsAndOtherWordsStay() {
    assertThat(Settings.all().stream().map(Settings.Field::name)).doesNotHaveDuplicates();
    assertThat(
            Settings.withFlags(
                "`learningRate` is 7: see `scales`, `normalisation` and `java.lang`, `other`"))
        .isEqualTo("--lr is 7: see --scales, --mean and `java.lang`, `other`");
  }

  @Test
  void aSettingThatDoesNotExistIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.change(Preset.QUICK.config(), Map.of("epoch", "3")))
        .withMessageContaining("there is no setting 'epoch'");
  }

  @Test
  void cropsAndScalesAreReadTogether() {
    assertThat(quick("--crops", "2x28,4x14", "--scales", "0.3-1,0.1-0.3").crops())
        .containsExactly(new CropSpec(2, 28, 0.3, 1), new CropSpec(4, 14, 0.1, 0.3));
    assertThat(quick("--crops", "2x40").crops())
        .as("scales not given are the preset's")
        .containsExactly(
            new CropSpec(
                2,
                40,
                Preset.QUICK.config().crops().get(0).minScale(),
                Preset.QUICK.config().crops().get(0).maxScale()));
  }

  @Test
  void finalLearningRateKeepsItsRatioAndShorterRunsWarmUpAtMostATenth() {
    TrainingConfig config = with(Preset.SMALL_IMAGES, "--lr", "0.4", "--epochs", "5");
    TrainingConfig.Optimisation preset = Preset.SMALL_IMAGES.config().optimisation();
    assertThat(config.optimisation().finalLearningRate())
        .isCloseTo(2 * preset.finalLearningRate(), within(1e-12));
    assertThat(config.optimisation().warmupEpochs()).isEqualTo(0.5);
  }

  @Test
  void learningRatesFollowTheBatchUnlessTheyAreGiven() {
    TrainingConfig.Optimisation scaled = with(Preset.IMAGENET, "--batch", "64").optimisation();
    assertThat(scaled.learningRate()).isEqualTo(0.15);
    assertThat(scaled.finalLearningRate()).isEqualTo(0.00015);
    TrainingConfig.Optimisation given =
        with(Preset.IMAGENET, "--batch", "64", "--lr", "0.3", "--start-lr", "0.1").optimisation();
    assertThat(given.learningRate()).isEqualTo(0.3);
    assertThat(given.startLearningRate()).isEqualTo(0.1);
    assertThat(given.finalLearningRate()).isCloseTo(0.0003, within(1e-12));
    TrainingConfig base = Preset.QUICK.config();
    assertThat(Settings.scaledRate(base, Map.of("batch", "128")))
        .hasValueSatisfying(line -> assertThat(line).startsWith("learning rate 0.4: the preset's"));
    assertThat(Settings.scaledRate(base, Map.of("batch", "64"))).isEmpty();
    assertThat(Settings.scaledRate(base, Map.of("batch", "128", "lr", "0.1"))).isEmpty();
  }

  @Test
  void greyDataDropColourNormalisationOfAPreset() {
    assertThat(with(Preset.IMAGENET, "--channels", "1").data().normalisation()).isNull();
    assertThat(with(Preset.IMAGENET).data().normalisation()).isEqualTo(Normalisation.imageNet());
  }

  @Property
  void lossFloorIsZeroExactlyIfSamplesCoverPrototypes(
      @ForAll @IntRange(min = 2, max = 600) int batch,
      @ForAll @IntRange(min = 0, max = 5000) int queue,
      @ForAll @IntRange(min = 2, max = 5000) int prototypes) {
    TrainingConfig config =
        quick("--batch=" + batch, "--queue=" + queue, "--prototypes=" + prototypes);
    int samples = batch + queue / batch * batch;
    assertThat(RunSizes.of(config, 1_000_000).lossFloor() > 0).isEqualTo(prototypes > samples);
  }

  @Test
  void planFollowsFromConfigurationAndData() {
    RunSizes plan =
        RunSizes.of(
            quick("--batch", "100", "--epochs", "10", "--warmup", "0.5", "--freeze", "1.5"), 1050);
    assertThat(plan.stepsPerEpoch()).isEqualTo(10);
    assertThat(plan.totalSteps()).isEqualTo(100);
    assertThat(plan.frozenSteps()).isEqualTo(15);
    assertThat(plan.schedule().warmup()).isEqualTo(5);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RunSizes.of(quick("--batch", "128"), 100))
        .withMessageContaining("batch is 128, but there are only 100");
  }
}
