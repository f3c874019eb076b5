package org.swav4j.train.advice;

import java.util.List;
import java.util.stream.Stream;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;

/**
 * Adds to the metrics of steps and epochs what {@link CollapseMonitor} says of them. To be added
 * after those that measure: health and k-NN.
 */
public final class AdviceListener implements TrainingListener {
  private final CollapseMonitor monitor;

  /** A listener that asks this monitor. */
  public AdviceListener(CollapseMonitor monitor) {
    this.monitor = monitor;
  }

  @Override
  public StepMetrics measure(StepMetrics m) {
    return monitor.afterStep(m.step(), m.loss()).map(line -> m.withAdvice(List.of(line))).orElse(m);
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
    return m.withAdvice(lines);
  }
}
