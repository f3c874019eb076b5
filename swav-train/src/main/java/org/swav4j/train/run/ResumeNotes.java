package org.swav4j.train.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.swav4j.train.config.Setting.OnResume;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.optimiser.LearningRateSchedule;

/**
 * What is other about a run that goes on than it was before, and what comes of it, in one line
 * each. Settings are named by their fields in backticks.
 */
public final class ResumeNotes {
  private ResumeNotes() {}

  /**
   * The notes; empty if nothing changed.
   *
   * @param from the checkpoint, with the settings as they were
   * @param now the settings of the rest
   * @param machineBefore what computed the run so far; empty if not known
   * @param machine what computes the rest
   */
  public static List<String> of(
      Checkpoint from, TrainingConfig now, Optional<String> machineBefore, String machine) {
    List<String> notes = new ArrayList<>();
    List<String> otherResult = new ArrayList<>();
    for (Settings.Field field : Settings.differences(from.config(), now)) {
      String change =
          text("`%s` is %s, was %s", field.name(), field.in(now), field.in(from.config()));
      if (field.setting().onResume() == OnResume.OTHER_RESULT) {
        notes.add(change);
        otherResult.add("`" + field.name() + "`");
      } else {
        notes.add(change + ": " + (field.name().equals("spec") ? data(from) : "the result stays"));
      }
    }
    schedule(from, now).ifPresent(notes::add);
    if (machineBefore.isPresent() && !machineBefore.get().equals(machine)) {
      notes.add(
          text("the run was computed by %s, and goes on by %s", machineBefore.get(), machine));
      otherResult.add("the machine, which may round sums otherwise");
    }
    if (!otherResult.isEmpty()) {
      notes.add(
          text(
              "from step %d on the run is not bit for bit the one that was begun, because of %s",
              from.step() + 1, String.join(", ", otherResult)));
    }
    return notes;
  }

  private static String data(Checkpoint from) {
    return from.data().isEmpty()
        ? "as many images, and this checkpoint can't tell whether they are the same"
        : "the same images";
  }

  private static Optional<String> schedule(Checkpoint from, TrainingConfig now) {
    LearningRateSchedule before = RunSizes.of(from.config(), from.images()).schedule();
    LearningRateSchedule after = RunSizes.of(now, from.images()).schedule();
    if (before.equals(after) || from.step() >= after.total()) {
      return Optional.empty();
    }
    return Optional.of(
        text(
            "the learning rate follows the new schedule from where it stands: %.3g at step %d, %s",
            after.at(from.step()),
            from.step() + 1,
            from.step() < before.total()
                ? text("by the old one %.3g", before.at(from.step()))
                : text("after %.3g at the end of the old one", before.at(from.step() - 1))));
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
