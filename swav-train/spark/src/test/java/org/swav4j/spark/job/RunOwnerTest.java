package org.swav4j.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.swav4j.train.config.Preset;

class RunOwnerTest {
  private static RunOwner owner(String application, String attempt, boolean supervised) {
    return new RunOwner(application, attempt, supervised, "", false)
        .asking(Preset.QUICK.config(), Map.of("batch", "64"));
  }

  private static RunOwner other(RunOwner owner) {
    return owner.asking(Preset.QUICK.config(), Map.of("batch", "32"));
  }

  @Test
  void theNextAttemptOfAnApplicationIsItStartedAgainAlsoWhenTheRunHasEnded() {
    RunOwner first = owner("application_1", "1", false);
    RunOwner second = owner("application_1", "2", false);
    assertThat(first.isStartedAgainAs(second)).isTrue();
    assertThat(first.atEnd().isStartedAgainAs(second)).isTrue();
  }

  @Test
  void theSameAttemptAnotherApplicationAndOtherSettingsAreNot() {
    RunOwner first = owner("application_1", "1", false);
    assertThat(first.isStartedAgainAs(first)).isFalse();
    assertThat(first.isStartedAgainAs(owner("application_2", "2", false))).isFalse();
    assertThat(first.isStartedAgainAs(other(owner("application_1", "2", false)))).isFalse();
    RunOwner uncounted = owner("local-1", "", false);
    assertThat(uncounted.isStartedAgainAs(uncounted)).isFalse();
  }

  @Test
  void aSupervisedDriverIsStartedAgainAsAnotherApplicationUntilItsRunHasEnded() {
    RunOwner first = owner("app-1", "", true);
    RunOwner again = owner("app-2", "", true);
    assertThat(first.isStartedAgainAs(again)).isTrue();
    assertThat(first.atEnd().isStartedAgainAs(again)).isFalse();
    assertThat(first.isStartedAgainAs(owner("app-2", "", false))).isFalse();
    assertThat(owner("app-1", "", false).isStartedAgainAs(again)).isFalse();
    assertThat(first.isStartedAgainAs(other(again))).isFalse();
  }

  @Test
  void aRunThatWasResumedByHandIsNobodysToTakeOver() {
    RunOwner byHand = new RunOwner("application_1", "1", true, "", false);
    assertThat(byHand.isStartedAgainAs(owner("application_1", "2", true))).isFalse();
  }

  @Test
  void readIsWhatWasWritten() {
    RunOwner owner = owner("application_1", "1", true).atEnd();
    assertThat(RunOwner.read(owner.text())).isEqualTo(owner);
    assertThat(RunOwner.read("")).isEqualTo(new RunOwner("", "", false, "", false));
  }
}
