package org.swav4j.train.optimiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.swav4j.testing.Golden;

class LearningRateScheduleTest {
  private static final JsonObject FILE = Golden.file("lr_schedule");

  @Test
  void equalsTheRecordedPreTrainingSchedules() {
    for (JsonElement element : FILE.getAsJsonArray("pretrain")) {
      JsonObject c = element.getAsJsonObject();
      LearningRateSchedule schedule =
          LearningRateSchedule.ofEpochs(
              c.get("iterations_per_epoch").getAsInt(),
              c.get("epochs").getAsInt(),
              c.get("warmup_epochs").getAsInt(),
              c.get("start_warmup").getAsDouble(),
              c.get("base_lr").getAsDouble(),
              c.get("final_lr").getAsDouble());
      JsonArray rates = c.getAsJsonArray("lr");
      assertThat(schedule.total()).isEqualTo(rates.size());
      for (int t = 0; t < rates.size(); t++) {
        assertThat(schedule.at(t))
            .as(c.get("name") + " " + t)
            .isCloseTo(rates.get(t).getAsDouble(), within(1e-11));
      }
    }
  }

  @Test
  void equalsTheRecordedCosineOfTheLinearProbe() {
    JsonObject c = FILE.getAsJsonObject("linear_eval_cosine_per_epoch");
    JsonArray values = c.getAsJsonArray("values");
    LearningRateSchedule schedule =
        LearningRateSchedule.cosine(
            values.size(), c.get("lr").getAsDouble(), c.get("final_lr").getAsDouble());
    for (int epoch = 0; epoch < values.size(); epoch++) {
      assertThat(schedule.at(epoch)).isCloseTo(values.get(epoch).getAsDouble(), within(1e-11));
    }
  }

  /** The fixture's milestones are 60 and 80 % of its epochs, which is how they are found here. */
  @Test
  void equalsTheRecordedStepsOfFineTuning() {
    JsonObject c = FILE.getAsJsonObject("semisup_step_per_epoch");
    int epochs = c.get("epochs").getAsInt();
    for (String part : List.of("trunk", "head")) {
      StepSchedule schedule = StepSchedule.fineTuning(c.get("lr_" + part).getAsDouble(), epochs);
      JsonArray rates = c.getAsJsonArray(part);
      assertThat(rates).hasSize(epochs);
      for (int epoch = 0; epoch < epochs; epoch++) {
        assertThat(schedule.at(epoch))
            .as(part + " " + epoch)
            .isCloseTo(rates.get(epoch).getAsDouble(), within(1e-14));
      }
    }
  }

  @Test
  void refusesRatesAndLengthsThatMakeNoSense() {
    assertThatThrownBy(() -> LearningRateSchedule.cosine(10, Double.NaN, 0))
        .hasMessageContaining("base learning rate NaN");
    assertThatThrownBy(() -> LearningRateSchedule.ofEpochs(5, 2, 3, 0, 1, 0))
        .hasMessageContaining("warm-up of 15 iterations does not fit into 10");
    assertThatThrownBy(() -> LearningRateSchedule.cosine(10, 1, 0).at(10))
        .hasMessageContaining("iteration 10");
  }
}
