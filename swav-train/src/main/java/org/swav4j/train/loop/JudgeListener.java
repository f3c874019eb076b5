package org.swav4j.train.loop;

import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.evaluation.FeatureQuality;

/** Measures how good features are before training and at the end of epochs. */
final class JudgeListener implements TrainingListener {
  private final Function<SwavWeights, FeatureQuality> judge;
  private final SwavWeights weights;
  private final int everyEpochs;
  private final BooleanSupplier stopping;
  private RunSizes sizes;

  JudgeListener(
      Function<SwavWeights, FeatureQuality> judge,
      SwavWeights weights,
      int everyEpochs,
      BooleanSupplier stopping) {
    this.judge = judge;
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
    return isDue(metrics) ? metrics.withFeatures(judge.apply(weights)) : metrics;
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
