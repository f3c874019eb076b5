package org.swav4j.train.evaluation;

import java.util.List;

/**
 * How well a classifier does that knows few labels: {@link LogisticRegression} is fitted to several
 * draws of the labelled rows, and each fit is measured on the same test rows.
 *
 * @param accuracies share of test rows classified rightly, one for each draw
 * @param classes the same of the rows of each class, the mean of the draws; NaN for a class without
 *     test rows
 */
public record FewLabels(List<Double> accuracies, List<Double> classes) {
  /** Copies the lists. */
  public FewLabels {
    accuracies = List.copyOf(accuracies);
    classes = List.copyOf(classes);
  }

  /**
   * Fits and measures.
   *
   * @param train features and their classes
   * @param test the same of other images
   * @param draws numbers of training rows, each of which one fit knows the labels of
   * @throws IllegalArgumentException if there is no draw, a draw has rows of one class only, or the
   *     sets do not fit
   */
  public static FewLabels evaluate(FeatureSet train, FeatureSet test, List<int[]> draws) {
    train.requireLabels("training");
    test.requireLabels("test");
    FeatureSet.requireSameWidth(train, test.features());
    if (draws.isEmpty()) {
      throw new IllegalArgumentException("0 draws of labels, expected at least 1");
    }
    int classes = Math.max(train.classes(), test.classes());
    int[] all = new int[classes];
    for (int label : test.labels()) {
      all[label]++;
    }
    int[] right = new int[classes];
    Double[] accuracies = new Double[draws.size()];
    for (int d = 0; d < accuracies.length; d++) {
      int[] predicted =
          new LogisticRegression().fit(train.rows(draws.get(d)), classes).predict(test.features());
      int hits = 0;
      for (int n = 0; n < predicted.length; n++) {
        if (predicted[n] == test.labels()[n]) {
          right[predicted[n]]++;
          hits++;
        }
      }
      accuracies[d] = (double) hits / predicted.length;
    }
    Double[] each = new Double[classes];
    for (int c = 0; c < classes; c++) {
      each[c] = all[c] == 0 ? Double.NaN : (double) right[c] / all[c] / accuracies.length;
    }
    return new FewLabels(List.of(accuracies), List.of(each));
  }

  /** The mean of the draws, in [0, 1]. */
  public double mean() {
    return accuracies.stream().mapToDouble(a -> a).average().orElseThrow();
  }

  /** Their standard deviation, with one draw less in the denominator; NaN of a single draw. */
  public double deviation() {
    double mean = mean();
    double squares = accuracies.stream().mapToDouble(a -> (a - mean) * (a - mean)).sum();
    return accuracies.size() < 2 ? Double.NaN : Math.sqrt(squares / (accuracies.size() - 1));
  }
}
