package org.swav4j.train.cli;

import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.train.evaluation.AlphaReq;
import org.swav4j.train.evaluation.RankMe;
import picocli.CommandLine.Option;

/** {@code evaluate --rank}: how many directions the features use. */
final class RankMeasure extends EvaluationMeasure {
  @Option(
      names = "--rank",
      description =
          "RankMe of the training images' features: how many directions they really use, from 1 to"
              + " their length; and alpha-ReQ, the exponent with which the directions lose weight,"
              + " best near 1. Needs no labels.")
  boolean asked;

  RankMeasure() {
    super(Labels.NONE, Rows.TRAINING);
  }

  @Override
  boolean asked() {
    return asked;
  }

  @Override
  void add(EvaluationLine line, Evaluated evaluated) {
    INDArray features = evaluated.train().set().features();
    double figure = RankMe.of(features);
    double alpha = AlphaReq.of(features);
    line.add("rankme", figure);
    line.add("alpha_req", alpha);
    line.say(String.format(Locale.ROOT, "RankMe %.1f, alpha-ReQ %.2f", figure, alpha));
  }
}
