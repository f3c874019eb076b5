package org.swav4j.train.features;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Architecture;
import org.swav4j.model.InputSize;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;

class FineTuningTest {
  private static final DataSets SHAPES = DataSpec.parse("shapes:300").open();
  private static final SwavConfig CONFIG =
      new SwavConfig(Architecture.RESNET20, 0.5, Stem.SMALL, 3, 8, 8, 8, 0.1);
  private static final Engine ENGINE = Engines.of("auto", Precision.FLOAT);

  private static Embedder embedder(int workers) {
    return new Embedder(
        InputSize.of(24), new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)), workers);
  }

  @Test
  void trunkAndClassifierLearnTogetherAndTheGivenWeightsStay() {
    SwavWeights weights = SwavWeights.initialise(CONFIG, 3);
    SwavWeights before = weights.copy();
    FineTuning tuning = FineTuning.fromScratch(12, 30, 1);
    try (Embedder embedder = embedder(1)) {
      FineTuning.Result both =
          tuning.evaluate(weights, SHAPES.train(), SHAPES.test(), embedder, ENGINE);
      FineTuning.Result linear =
          tuning
              .withTrunkRate(0)
              .evaluate(weights, SHAPES.train(), SHAPES.test(), embedder, ENGINE);
      assertThat(both.trainTop1()).isGreaterThan(linear.trainTop1() + 0.05);
    }
    before
        .parameters()
        .forEach((name, array) -> assertThat(weights.parameters().get(name)).isEqualTo(array));
    before
        .statistics()
        .forEach((name, array) -> assertThat(weights.statistics().get(name)).isEqualTo(array));
  }
}
