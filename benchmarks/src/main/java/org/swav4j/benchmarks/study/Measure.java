package org.swav4j.benchmarks.study;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** A number of one or several runs of one seed; accuracies are shares from 0 to 1. */
enum Measure {
  /** k-NN accuracy after the last epoch; the mean over the runs. */
  KNN(RunLog::knn),
  /** Mean height of the k-NN curve over the epochs; the mean over the runs. */
  AREA(RunLog::area),
  /** Best less worst final k-NN accuracy of the runs. */
  RANGE(RunLog::knn) {
    @Override
    double of(List<RunLog> runs) {
      return values(runs).max().orElseThrow() - values(runs).min().orElseThrow();
    }
  },
  /** Spread of the embeddings after the last epoch: 1 is even over the sphere, 0 one point. */
  SPREAD(RunLog::spread),
  /** Entropy of the codes after the last epoch, in nats. */
  ENTROPY(RunLog::codeEntropy),
  /** Accuracy on test images after fine-tuning, of an evaluation; the mean over the runs. */
  FINE_TUNE(RunLog::fineTune);

  private final ToDoubleFunction<RunLog> ofOne;

  Measure(ToDoubleFunction<RunLog> ofOne) {
    this.ofOne = ofOne;
  }

  static Measure of(String label) {
    return Arrays.stream(values())
        .filter(m -> m.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "measure '"
                        + label
                        + "' is unknown, expected one of "
                        + Arrays.stream(values()).map(Measure::label).toList()));
  }

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether evaluations have it, and not runs by themselves. */
  boolean isOfEvaluation() {
    return this == FINE_TUNE;
  }

  /** Whether it is told in points, hundredths of it. */
  boolean isAccuracy() {
    return this != SPREAD && this != ENTROPY;
  }

  DoubleStream values(List<RunLog> runs) {
    return runs.stream().mapToDouble(ofOne);
  }

  /** NaN if it isn't known of one of them. */
  double of(List<RunLog> runs) {
    return values(runs).sum() / runs.size();
  }
}
