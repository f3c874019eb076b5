package org.swav4j.train.cli;

import java.util.Optional;
import java.util.Set;
import org.swav4j.train.advice.HealthState;
import org.swav4j.train.auto.Choice;
import org.swav4j.train.auto.Remedy;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;

/** Ends a run whose first steps show that a chosen setting was wrong, and says what to change. */
final class EarlyWatch implements TrainingListener {
  /** Steps after which a run is left to itself. */
  private static final int EARLY = 1500;

  private final TrainingRun run;
  private final TrainingConfig config;
  private final Set<String> given;
  private Optional<Choice> remedy = Optional.empty();
  private HealthState found = HealthState.STARTING;

  /**
   * @param given settings that were chosen by hand, which are not changed
   */
  EarlyWatch(TrainingRun run, TrainingConfig config, Set<String> given) {
    this.run = run;
    this.config = config;
    this.given = given;
  }

  @Override
  public void step(StepMetrics m) {
    HealthState state = run.health(m.step() + 1);
    if (remedy.isPresent() || m.step() >= EARLY || !state.amiss() || state == found) {
      return;
    }
    found = state;
    remedy = Remedy.of(state, config).filter(change -> !given.contains(change.flag()));
    if (remedy.isPresent()) {
      run.trainer().stop();
    }
  }

  /** What to begin again with; empty if the run went on. */
  Optional<Choice> remedy() {
    return remedy;
  }

  /** What was amiss. */
  HealthState found() {
    return found;
  }
}
