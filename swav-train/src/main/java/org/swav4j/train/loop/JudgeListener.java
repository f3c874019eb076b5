package org.swav4j.train.loop;

import java.util.function.BooleanSupplier;
import java.util.function.ToDoubleFunction;
import org.swav4j.model.SwavWeights;

/** Measures the accuracy of features before training and at the end of epochs. */
final class JudgeListener implements TrainingListener {
  private final ToDoubleFunction<SwavWeights> accuracy;
  private final SwavWeights weights;
  private final int everyEpochs;
  private final BooleanSupplier stopping;
  private RunSizes sizes;

  JudgeListener(
      ToDoubleFunction<SwavWeights> accuracy,
      SwavWeights weights,
      int everyEpochs,
      BooleanSupplier stopping) {
    this.accuracy = accuracy;
    this.weights = weights;
    this.everyEpochs = everyEpochs;
    this.stopping = stopping;
  }

  @Override
  public void started(RunSizes sizes) {
    this.sizes = sizes;
  }

  @Override
  public EpochMetrics measure(EpochMetrics metrics) {
    return isDue(metrics) ? metrics.withKnn(accuracy.applyAsDouble(weights)) : metrics;
  }

  /** Whoever stops the run doesn't want to wait. */
  private boolean isDue(EpochMetrics metrics) {
    if (metrics.epoch() == 0) {
      return true;
    }
    boolean asked =
        everyEpochs > 0
            && (metrics.epoch() % everyEpochs == 0 || metrics.step() == sizes.totalSteps());
    return asked && !stopping.getAsBoolean();
  }
}
