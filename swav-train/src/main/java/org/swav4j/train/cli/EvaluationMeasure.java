package org.swav4j.train.cli;

import java.util.Comparator;
import java.util.List;
import org.swav4j.train.features.Sample;

/**
 * Something that {@code evaluate} measures: its flags, what it needs, and what it adds to the
 * result. Another one is a class, and its name in {@link EvaluateCommand}.
 */
abstract class EvaluationMeasure {
  /** Images that must have labels. */
  enum Labels {
    NONE,
    TEST,
    ALL
  }

  /**
   * Images whose rows of numbers are looked at. Of NONE it is the network itself that is measured,
   * which raw pixels don't have.
   */
  enum Rows {
    NONE,
    TRAINING,
    ALL;

    /** Those that at least one of the measures looks at. */
    static Rows of(List<EvaluationMeasure> measures) {
      return measures.stream()
          .map(measure -> measure.rows)
          .max(Comparator.naturalOrder())
          .orElse(NONE);
    }
  }

  final Labels labels;
  final Rows rows;

  EvaluationMeasure(Labels labels, Rows rows) {
    this.labels = labels;
    this.rows = rows;
  }

  /** Whether the command line asks for it. */
  abstract boolean asked();

  /**
   * Before any work.
   *
   * @throws IllegalArgumentException if a flag of its own makes no sense
   */
  void checkFlags() {}

  /**
   * Of those asked for, before any work with images.
   *
   * @throws IllegalArgumentException if there are too few for what the flags say
   */
  void checkImages(Sample training) {}

  /** Measures, which may take long, and adds fields and words. */
  abstract void add(EvaluationLine line, Evaluated evaluated);
}
