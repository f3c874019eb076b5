package org.swav4j.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.swav4j.data.CropSpec;
import org.swav4j.model.Architecture;

class SettingsTest {
  /** A configuration that got a second setting in the second version of its file. */
  record Grown(
      @Setting(flag = "old", label = "N", help = "", presets = "1") int old,
      @Setting(
              flag = "young",
              label = "X,...",
              help = "",
              presets = "1,2",
              since = 2,
              earlier = "0.5,0.25")
          List<Double> young) {}

  @Test
  void aSettingThatCameLaterTakesItsEarlierValueInOlderFilesOnly() {
    Map<String, Object> first = Map.of("old", 3);
    assertThat(RecordTree.read(Grown.class, first, 1)).isEqualTo(new Grown(3, List.of(0.5, 0.25)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RecordTree.read(Grown.class, first, 2))
        .withMessageContaining("young is missing");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RecordTree.read(Grown.class, Map.of("young", List.of(1.0)), 1))
        .withMessageContaining("old is missing");
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void aConfigurationIsWhatItsTreeDescribes(Preset preset) {
    TrainingConfig config = preset.config();
    assertThat(Settings.read(Settings.tree(config), Settings.version())).isEqualTo(config);
  }

  @Test
  void aSettingHasOneValueOrOneForEveryPresetThatIsNotMadeOfAnother() {
    for (Settings.Field field : Settings.all()) {
      assertThat(field.setting().presets().length)
          .as(field.setting().flag())
          .isIn(1, Preset.IMAGENET.column() + 1);
    }
  }

  @Test
  void aPresetMadeOfAnotherDiffersInWhatItChangesAlone() {
    assertThat(
            Settings.differences(Preset.SMALL_IMAGES.config(), Preset.PHOTOS.config()).stream()
                .map(f -> f.setting().flag()))
        .containsExactlyInAnyOrderElementsOf(Preset.PHOTOS.changes().keySet());
    assertThat(Preset.PHOTOS.config().crops())
        .containsExactly(new CropSpec(2, 64, 0.25, 1), new CropSpec(4, 32, 0.08, 0.3));
    assertThat(Preset.PHOTOS.config().network().architecture()).isEqualTo(Architecture.RESNET18);
  }

  @Test
  void partsOfARecordThatCameLaterTakeTheirEarlierValueInOlderFilesOnly() {
    Map<String, Object> tree = Settings.tree(Preset.QUICK.config());
    ((Map<?, ?>) tree.get("augmentation")).remove("maxDegrees");
    assertThat(Settings.read(tree, 2).augmentation())
        .isEqualTo(Preset.QUICK.config().augmentation().withRotation(0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.read(tree, 3))
        .withMessageContaining("maxDegrees is missing");
  }

  @Test
  void aRunGoesOnWithOtherValuesOfWhatShapesNoArrayAndIsRefusedAllOthers() {
    TrainingConfig quick = Preset.QUICK.config();
    for (Settings.Field field : Settings.all()) {
      String flag = field.setting().flag();
      // given together with what must fit it
      Map<String, String> change =
          switch (flag) {
            case "mean", "deviation" ->
                Map.of("mean", "0.485,0.456,0.406", "deviation", "0.228,0.224,0.225");
            case "precision" -> Map.of(flag, "bf16");
            case "engine" -> Map.of(flag, "nd4j");
            default -> Map.of(flag, field.in(Preset.IMAGENET));
          };
      TrainingConfig changed = Settings.change(quick, change);
      if (Settings.differences(quick, changed).isEmpty()) {
        continue;
      }
      if (field.setting().onResume() == Setting.OnResume.REFUSED) {
        assertThatIllegalArgumentException()
            .as(flag)
            .isThrownBy(() -> Settings.resume(quick, change))
            .withMessageContaining("leave `");
      } else {
        assertThat(Settings.differences(quick, Settings.resume(quick, change)))
            .as(flag)
            .contains(field);
      }
    }
  }

  @Test
  void onResumeOtherEpochsLeaveWarmUpAndFreezingAndALearningRateTakesTheLastAlong() {
    TrainingConfig quick = Preset.QUICK.config();
    TrainingConfig now = Settings.resume(quick, Map.of("epochs", "1", "lr", "0.1"));
    assertThat(now.optimisation().warmupEpochs()).isEqualTo(quick.optimisation().warmupEpochs());
    assertThat(now.optimisation().freezeEpochs()).isEqualTo(quick.optimisation().freezeEpochs());
    assertThat(now.optimisation().finalLearningRate())
        .isEqualTo(quick.optimisation().finalLearningRate() / 2);
  }
}
