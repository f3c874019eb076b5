package org.swav4j.train.advice;

import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.train.diagnostics.TrainingDiagnostics;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.RunSizes;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;
import org.swav4j.train.method.SwavMethod;

/**
 * Looks into some of the steps of SwAV and adds the health of codes, embeddings and prototypes to
 * an epoch's metrics.
 */
public final class HealthListener implements TrainingListener {
  /** Steps from one that is inspected to the next, which keeps the cost well under 1 %. */
  private static final int INSPECT_EVERY = 10;

  private final TrainingStep network;
  private final SwavWeights weights;
  private TrainingDiagnostics diagnostics;
  private RunSizes sizes;

  /**
   * A listener to a trainer of SwAV.
   *
   * @param network the trainer's
   * @param weights that it trains
   */
  public HealthListener(TrainingStep network, SwavWeights weights) {
    this.network = network;
    this.weights = weights;
  }

  @Override
  public void started(RunSizes sizes) {
    this.sizes = sizes;
    int k = sizes.prototypes();
    int heads = weights.config().prototypes() / k;
    this.diagnostics = new TrainingDiagnostics(heads, k, weights.config().dim());
  }

  /** The last step of an epoch always, so that a resumed one has numbers too. */
  @Override
  public void step(StepMetrics metrics) {
    long inEpoch = metrics.step() % sizes.stepsPerEpoch() + 1;
    if (inEpoch % INSPECT_EVERY == 0 || inEpoch == sizes.stepsPerEpoch()) {
      diagnostics.inspect(metrics.loss(), network.scores(), network.codes(), network.embeddings());
    }
  }

  @Override
  public EpochMetrics measure(EpochMetrics metrics) {
    return metrics.epoch() == 0
        ? metrics
        : metrics.withHealth(
            diagnostics.finishEpoch(weights.parameters().get(SwavMethod.PROTOTYPES)));
  }
}
