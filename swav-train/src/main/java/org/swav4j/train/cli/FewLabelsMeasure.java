package org.swav4j.train.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.swav4j.train.evaluation.FewLabels;
import org.swav4j.train.features.Sample;
import picocli.CommandLine.Option;

/** {@code evaluate --draws}: the classifier of {@code swav classify}, fitted to few labels. */
final class FewLabelsMeasure extends EvaluationMeasure {
  private final EvaluationImages images;

  @Option(
      names = "--draws",
      paramLabel = "N",
      description =
          "Fits the classifier of 'swav classify' to few labels (--labels, such as 20), drawn N"
              + " times: mean accuracy on test images, its spread, and the accuracy of each class.")
  Integer draws;

  /**
   * @param images how many labels are known, and the seed of the draws
   */
  FewLabelsMeasure(EvaluationImages images) {
    super(Labels.ALL, Rows.ALL);
    this.images = images;
  }

  @Override
  boolean asked() {
    return draws != null;
  }

  @Override
  void checkFlags() {
    if (draws != null && draws < 1) {
      throw new IllegalArgumentException(
          "--draws is " + draws + ", expected at least 1, and 5 to see the spread");
    }
  }

  @Override
  void checkImages(Sample training) {
    images.labelled(training, images.seed);
  }

  @Override
  void add(EvaluationLine line, Evaluated evaluated) {
    List<int[]> rows = rowsOfDraws(evaluated);
    FewLabels found = FewLabels.evaluate(evaluated.train().set(), evaluated.test(), rows);
    Map<String, Double> classes = new LinkedHashMap<>();
    List<String> figures = new ArrayList<>();
    for (int c = 0; c < found.classes().size(); c++) {
      String name = evaluated.trainImages().classes().get(c);
      classes.put(name, found.classes().get(c));
      figures.add(String.format(Locale.ROOT, "%s %.1f %%", name, 100 * found.classes().get(c)));
    }
    line.add("labels", rows.get(0).length);
    line.add("few_labels", found.mean());
    line.add("few_labels_deviation", found.deviation());
    line.add("few_labels_draws", found.accuracies());
    line.add("few_labels_classes", classes);
    line.say(
        String.format(
            Locale.ROOT,
            "%d labels %.2f %%%s (%s)",
            rows.get(0).length,
            100 * found.mean(),
            draws == 1
                ? ""
                : String.format(
                    Locale.ROOT, " \u00b1 %.2f in %d draws", 100 * found.deviation(), draws),
            String.join(", ", figures)));
  }

  /** Of each draw the rows of its labelled images, as far as these could be read. */
  private List<int[]> rowsOfDraws(Evaluated evaluated) {
    int[] read = evaluated.train().images();
    Map<Integer, Integer> rowOf = new HashMap<>();
    for (int row = 0; row < read.length; row++) {
      rowOf.put(read[row], row);
    }
    List<int[]> rows = new ArrayList<>();
    for (int draw = 0; draw < draws; draw++) {
      Sample few = images.labelled(evaluated.trainImages(), images.seed + draw);
      rows.add(
          IntStream.range(0, few.size())
              .map(few::original)
              .filter(rowOf::containsKey)
              .map(rowOf::get)
              .toArray());
    }
    return rows;
  }
}
