package org.swav4j.train.advice;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;

/**
 * Adds to the metrics of steps and epochs what {@link CollapseMonitor} says of them, and an epoch's
 * {@link HealthState}. To be added after those that measure: health and k-NN. A stretch of which a
 * resumed run has seen only the end is not judged.
 */
public final class AdviceListener implements TrainingListener {
  /** Steps from one that is looked into to the next, which keeps the cost well under 1 %. */
  private static final int INSPECT_EVERY = 10;

  /** Steps that are judged together. */
  private static final int STRETCH = 50;

  private final CollapseMonitor monitor;
  private final VitalSigns signs;
  private boolean whole;

  /**
   * A listener that asks this monitor.
   *
   * @param signs of the step that is trained
   */
  public AdviceListener(CollapseMonitor monitor, VitalSigns signs) {
    this.monitor = monitor;
    this.signs = signs;
  }

  @Override
  public StepMetrics measure(StepMetrics m) {
    whole |= m.step() % STRETCH == 0;
    Optional<String> atOnce = monitor.afterStep(m.step(), m.loss(), signs::largestScore);
    Optional<String> ofStretch = Optional.empty();
    StepMetrics judged = m;
    long done = m.step() + 1;
    if (done % INSPECT_EVERY == 0) {
      signs.inspect(m.loss());
    }
    if (done % STRETCH == STRETCH - 1) {
      signs.keepPrototypes();
    }
    if (done % STRETCH == 0) {
      Vitals stretch = signs.finish(done);
      if (whole) {
        ofStretch = monitor.afterStretch(stretch);
        judged = m.withStretch(monitor.lastStretch().label());
      }
    }
    if (atOnce.isEmpty() && ofStretch.isEmpty()) {
      return judged;
    }
    List<String> lines = new ArrayList<>(m.advice());
    atOnce.ifPresent(lines::add);
    ofStretch.ifPresent(lines::add);
    return judged.withAdvice(lines);
  }

  @Override
  public EpochMetrics measure(EpochMetrics m) {
    if (m.epoch() == 0) {
      monitor.afterEvaluation(0, m.knn());
      return m.withAdvice(monitor.beforeTraining());
    }
    List<String> lines =
        Stream.concat(
                monitor.afterEpoch(m.step(), m.loss(), m.health()).stream(),
                monitor.afterEvaluation(m.step(), m.knn()).stream())
            .toList();
    return m.withAdvice(lines).withState(monitor.state(m.step()).label());
  }
}
