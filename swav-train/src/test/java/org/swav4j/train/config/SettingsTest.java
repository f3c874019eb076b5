package org.swav4j.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
  void onlyWhatChangesTheResultIsADifference() {
    TrainingConfig quick = Preset.QUICK.config();
    assertThat(
            Settings.difference(
                quick, Settings.change(quick, Map.of("workers", "7", "engine", "nd4j"))))
        .isEmpty();
    for (Settings.Field field : Settings.all()) {
      String other = field.in(Preset.IMAGENET);
      String flag = field.setting().flag();
      // given together with what must fit it
      Map<String, String> change =
          switch (flag) {
            case "mean", "deviation" ->
                Map.of("mean", "0.485,0.456,0.406", "deviation", "0.228,0.224,0.225");
            default -> Map.of(flag, other);
          };
      TrainingConfig changed = Settings.change(quick, change);
      boolean same = changed.equals(quick);
      assertThat(Settings.difference(quick, changed).isEmpty())
          .as(flag)
          .isEqualTo(same || field.setting().mayChange());
    }
  }
}
