package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.testing.Golden;

/** The step's loss and gradients over given features and codes are the fixture's. */
class GivenFeaturesTest {
  /** SwAV's, with the gradients that the fixture has beside those of parameters. */
  private record Differentiated(Objective objective) implements Objective {
    @Override
    public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
      return objective.loss(sd, embeddings, views);
    }

    @Override
    public List<String> reads() {
      return objective.reads();
    }

    @Override
    public List<String> differentiates() {
      return List.of(EMBEDDINGS, SwappedPrediction.SCORES);
    }
  }

  private static void assertClose(
      LayersTest.On on, String what, INDArray actual, INDArray expected) {
    double scale = Math.max(1, Transforms.abs(expected, true).maxNumber().doubleValue());
    double difference = Transforms.abs(actual.sub(expected), false).maxNumber().doubleValue();
    assertThat(difference / scale).as(what).isLessThan(on.tolerance());
  }

  @ParameterizedTest
  @MethodSource("org.swav4j.model.LayersTest#engines")
  void lossAndGradientsEqualTheFixture(LayersTest.On on) {
    for (JsonElement element : Golden.file("swav_loss").getAsJsonArray("cases")) {
      JsonObject c = element.getAsJsonObject();
      JsonObject exact = c.getAsJsonObject("f64");
      JsonObject expected = c.getAsJsonObject(on.key());
      String name = c.get("name").getAsString();
      INDArray features = stack(c.getAsJsonArray("features_raw"), on.type());
      int views = c.get("crops").getAsInt();
      double temperature = c.get("temperature").getAsDouble();
      GivenFeatures given =
          new GivenFeatures(
              views,
              (int) features.size(0) / views,
              Golden.array(exact.get("prototypes_normalised"), on.type()),
              temperature);
      int assigning = c.getAsJsonArray("crops_for_assign").size();
      try (TrainingStep step =
          new TrainingStep(
              given.weights(),
              given.views().groups(),
              given.views().batch(),
              new Differentiated(new SwappedPrediction(assigning, temperature)),
              on.engine())) {
        given.give(features);
        step.crops(0).assign(given.images());
        step.forward();
        step.codes().assign(stack(exact.getAsJsonArray("codes"), on.type()));
        double loss = expected.get("loss").getAsDouble();
        assertThat(step.backward())
            .as(name)
            .isCloseTo(loss, within(on.tolerance() * Math.max(1, loss)));
        assertClose(
            on, name + ": z", step.embeddings(), stack(exact.getAsJsonArray("z"), on.type()));
        assertClose(
            on,
            name + ": gradient of the scores",
            step.gradient(SwappedPrediction.SCORES),
            stack(exact.getAsJsonArray("grad_scores"), on.type()));
        assertClose(
            on,
            name + ": gradient of z",
            step.gradient(Objective.EMBEDDINGS),
            stack(expected.getAsJsonArray("grad_z"), on.type()));
        assertClose(
            on,
            name + ": gradient of the features",
            given.gradient(step.gradients()),
            stack(expected.getAsJsonArray("grad_features_raw"), on.type()));
        assertClose(
            on,
            name + ": gradient of the prototypes",
            step.gradients().get(ParameterShapes.PROTOTYPES),
            Golden.array(expected.get("grad_prototypes"), on.type()));
        assertThat(step.gradients()).containsOnlyKeys(given.weights().parameters().keySet());
      }
    }
  }

  private static INDArray stack(JsonArray crops, DataType type) {
    List<INDArray> rows = new ArrayList<>();
    crops.forEach(crop -> rows.add(Golden.array(crop, type)));
    return Nd4j.concat(0, rows.toArray(INDArray[]::new));
  }

  @Test
  void gradientsBesideTheParametersAreAskedForByNameAndOfBatchesAtOnce() {
    GivenFeatures given = new GivenFeatures(2, 4, Nd4j.eye(3), 0.1);
    Objective plain = new SwappedPrediction(2, 0.1);
    try (TrainingStep step =
        new TrainingStep(given.weights(), given.views().groups(), 4, plain, new Nd4jEngine())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> step.gradient(Objective.EMBEDDINGS))
          .withMessageContaining("\"embeddings\" is not among");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new TrainingStep(
                    given.weights(),
                    given.views().groups(),
                    4,
                    2,
                    new Differentiated(plain),
                    new Nd4jEngine()))
        .withMessageContaining("in 2 parts, expected 1");
  }
}
