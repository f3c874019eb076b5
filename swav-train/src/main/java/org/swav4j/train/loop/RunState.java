package org.swav4j.train.loop;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.method.Method;
import org.swav4j.train.optimiser.Optimiser;

/** Where a run stands: steps done, and everything that the next one depends on. */
final class RunState {
  private final TrainingConfig config;
  private final RunSizes sizes;
  private final SwavWeights weights;
  private final Optimiser optimiser;
  private final Method method;
  private final Map<String, INDArray> average;
  private final String data;

  /** Steps completed. */
  long done;

  /** Of the steps of the unfinished epoch. */
  double lossSum;

  /**
   * @param average of the weights, live; empty if none is kept
   * @param data digest of the training images; empty if not known
   */
  RunState(
      TrainingConfig config,
      RunSizes sizes,
      SwavWeights weights,
      Optimiser optimiser,
      Method method,
      Map<String, INDArray> average,
      String data) {
    this.config = config;
    this.sizes = sizes;
    this.weights = weights;
    this.optimiser = optimiser;
    this.method = method;
    this.average = average;
    this.data = data;
  }

  /** Steps of the unfinished epoch. */
  long doneInEpoch() {
    return done % sizes.stepsPerEpoch();
  }

  Checkpoint checkpoint(double rawPixels) {
    return new Checkpoint(
        config,
        sizes.images(),
        weights.config().channels(),
        data,
        done,
        lossSum,
        rawPixels,
        weights.parameters(),
        weights.statistics(),
        optimiser.state(),
        method.state(),
        average);
  }

  void restore(Checkpoint checkpoint) {
    checkpoint.requireSameData(
        sizes.images(), weights.config().channels(), data, config.data().spec());
    if (checkpoint.step() > sizes.totalSteps()) {
      throw new TrainingException(
          String.format(
              Locale.ROOT,
              "`epochs` is %d, which is %d steps, and %d are done: expected at least %d `epochs`",
              sizes.epochs(),
              sizes.totalSteps(),
              checkpoint.step(),
              (checkpoint.step() - 1) / sizes.stepsPerEpoch() + 1));
    }
    copy("parameter", checkpoint.parameters(), weights.parameters());
    copy("statistic", checkpoint.statistics(), weights.statistics());
    copy("average", checkpoint.average(), average);
    optimiser.restore(checkpoint.momentum());
    method.restore(checkpoint.method());
    done = checkpoint.step();
    lossSum = checkpoint.lossSum();
  }

  private static void copy(String what, Map<String, INDArray> from, Map<String, INDArray> to) {
    to.forEach(
        (name, array) -> {
          INDArray saved = from.get(name);
          if (saved == null || !saved.equalShapes(array) || saved.dataType() != array.dataType()) {
            throw new TrainingException(
                String.format(
                    Locale.ROOT,
                    "the checkpoint's %s %s is %s, expected %s: it is of another architecture",
                    what,
                    name,
                    saved == null ? "missing" : describe(saved),
                    describe(array)));
          }
        });
    from.keySet().stream()
        .filter(name -> !to.containsKey(name))
        .findFirst()
        .ifPresent(
            name -> {
              throw new TrainingException(
                  "the checkpoint holds the "
                      + what
                      + " "
                      + name
                      + ", which the network does not have: it is of another architecture");
            });
    to.forEach((name, array) -> array.assign(from.get(name)));
  }

  private static String describe(INDArray array) {
    return array.dataType() + Arrays.toString(array.shape());
  }
}
