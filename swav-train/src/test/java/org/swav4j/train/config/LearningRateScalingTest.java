package org.swav4j.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.config.TrainingConfig.Optimisation;

class LearningRateScalingTest {
  @ParameterizedTest
  @EnumSource(Preset.class)
  void ratesAreInProportionToTheBatchUnlessGiven(Preset preset) {
    Optimisation base = preset.config().optimisation();
    int batch = 3 * base.batch();
    Optimisation scaled = TrainingConfigTest.with(preset, "--batch=" + batch).optimisation();
    assertThat(scaled).isEqualTo(base.scaledTo(batch));
    assertThat(scaled.learningRate() / base.learningRate()).isBetween(3 - 1e-8, 3 + 1e-8);
    assertThat(scaled.finalLearningRate() / base.finalLearningRate()).isBetween(3 - 1e-8, 3 + 1e-8);
    assertThat(
            TrainingConfigTest.with(preset, "--batch=" + batch, "--lr=0.25")
                .optimisation()
                .learningRate())
        .isEqualTo(0.25);
  }

  @Test
  void ratesAreRoundedToWhatOneWouldWrite() {
    Optimisation o = Preset.SMALL_IMAGES.config().optimisation();
    assertThat(o.scaledTo(96).learningRate()).isEqualTo(0.075);
    assertThat(o.scaledTo(256)).isEqualTo(o);
  }

  @Test
  void whatWasScaledOnceIsNotScaledAgainByTheSameBatch() {
    TrainingConfig run = TrainingConfigTest.quick("--batch=32");
    assertThat(run.optimisation().learningRate()).isEqualTo(0.1);
    assertThat(TrainingConfigTest.with(run, "--batch=32")).isEqualTo(run);
  }

  @Test
  void aBatchOutOfRangeIsNamedFirst() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TrainingConfigTest.quick("--batch=0"))
        .withMessageContaining("`batch` is 0");
  }
}
