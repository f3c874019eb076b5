package org.swav4j.train.conformance;

import java.util.Arrays;
import java.util.List;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.optimiser.LearningRateSchedule;
import org.swav4j.train.optimiser.StepSchedule;

/**
 * {@code lr_schedule.json}: {@link LearningRateSchedule} and {@link StepSchedule}, which compute in
 * double only.
 */
final class ScheduleSuite implements Suite {
  @Override
  public List<Arithmetic> arithmetics() {
    return List.of(Arithmetic.DOUBLE);
  }

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    for (Fixture c : file.objects("pretrain")) {
      to.run(
          c.text("name"),
          () ->
              rates(
                  LearningRateSchedule.ofEpochs(
                      c.count("iterations_per_epoch"),
                      c.count("epochs"),
                      c.count("warmup_epochs"),
                      c.number("start_warmup"),
                      c.number("base_lr"),
                      c.number("final_lr")),
                  c.numbers("lr"),
                  to));
    }
    String probe = "linear_eval_cosine_per_epoch";
    if (file.has(probe)) {
      Fixture c = file.object(probe);
      to.run(
          probe,
          () ->
              rates(
                  LearningRateSchedule.cosine(
                      c.count("epochs"), c.number("lr"), c.number("final_lr")),
                  c.numbers("values"),
                  to));
    }
    String fineTuning = "semisup_step_per_epoch";
    if (file.has(fineTuning)) {
      Fixture c = file.object(fineTuning);
      List<Integer> milestones =
          Arrays.stream(c.numbers("decay_epochs")).mapToObj(epoch -> (int) epoch).toList();
      for (String part : List.of("trunk", "head")) {
        to.run(
            fineTuning + " " + part,
            () -> {
              StepSchedule schedule =
                  new StepSchedule(c.number("lr_" + part), c.number("gamma"), milestones);
              double[] expected = c.numbers(part);
              to.same("length " + expected.length, expected.length == c.count("epochs"));
              for (int epoch = 0; epoch < expected.length; epoch++) {
                to.value("rate " + epoch, schedule.at(epoch), expected[epoch]);
              }
            });
      }
    }
  }

  private static void rates(LearningRateSchedule schedule, double[] expected, Comparisons to) {
    to.same("length " + schedule.total(), schedule.total() == expected.length);
    for (int t = 0; t < Math.min(expected.length, schedule.total()); t++) {
      to.value("rate " + t, schedule.at(t), expected[t]);
    }
  }
}
