package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.onednn.OneDnnEngine;
import org.swav4j.testing.Golden;

class LayersTest {
  /** An engine in one precision. */
  record On(Engine engine, DataType type) {
    String key() {
      return type == DataType.DOUBLE ? "f64" : "f32";
    }

    double tolerance() {
      return type == DataType.DOUBLE ? 1e-9 : 1e-5;
    }

    @Override
    public String toString() {
      return engine.name() + " " + type;
    }
  }

  static Stream<On> engines() {
    return Stream.of(
        new On(new Nd4jEngine(), DataType.DOUBLE),
        new On(new Nd4jEngine(), DataType.FLOAT),
        new On(new OneDnnEngine(), DataType.FLOAT));
  }

  private static void assertClose(On on, String what, INDArray actual, INDArray expected) {
    double scale = Math.max(1, Transforms.abs(expected, true).maxNumber().doubleValue());
    double difference = Transforms.abs(actual.sub(expected), false).maxNumber().doubleValue();
    assertThat(difference / scale).as(what).isLessThan(on.tolerance());
  }

  @ParameterizedTest
  @MethodSource("engines")
  void batchNormEqualsPyTorchs(On on) {
    for (JsonElement element : Golden.file("batch_norm").getAsJsonArray("cases")) {
      JsonObject c = element.getAsJsonObject();
      JsonObject expected = c.getAsJsonObject(on.key());
      INDArray x0 = Golden.array(c.getAsJsonArray("x").get(0), on.type);
      try (Layers.BatchNorm norm =
          new Layers.BatchNorm(
              on.engine,
              Golden.array(c.get("gamma"), on.type),
              Golden.array(c.get("beta"), on.type),
              x0.shape())) {
        for (int i = 0; i < c.getAsJsonArray("x").size(); i++) {
          JsonObject step = expected.getAsJsonArray("train_steps").get(i).getAsJsonObject();
          Layers.BatchNorm.Pass pass =
              norm.train(
                  Golden.array(c.getAsJsonArray("x").get(i), on.type),
                  Golden.array(c.getAsJsonArray("dy").get(i), on.type));
          assertClose(on, "y", pass.y(), Golden.array(step.get("y"), on.type));
          assertClose(on, "dx", pass.dx(), Golden.array(step.get("dx"), on.type));
          assertClose(on, "dgamma", pass.dgamma(), Golden.array(step.get("dgamma"), on.type));
          assertClose(on, "dbeta", pass.dbeta(), Golden.array(step.get("dbeta"), on.type));
          assertClose(
              on, "mean", norm.runningMean(), Golden.array(step.get("running_mean"), on.type));
          assertClose(
              on,
              "variance",
              norm.runningVariance(),
              Golden.array(step.get("running_var"), on.type));
        }
        assertClose(
            on,
            "inference",
            norm.infer(x0),
            Golden.array(expected.get("eval_of_x0_after_both"), on.type));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("engines")
  void normalisedRowsAndTheirGradientEqualTheFixture(On on) {
    JsonObject f = Golden.file("l2_normalize");
    Layers.NormalizedRows rows =
        Layers.normalizeRows(
            on.engine, Golden.array(f.get("x"), on.type), Golden.array(f.get("dy"), on.type));
    assertClose(on, "y", rows.y(), Golden.array(f.get("y_f64"), on.type));
    INDArray dx = Golden.array(f.get("dx_f64_without_last_row"), on.type);
    for (long n = 0; n < dx.size(0); n++) {
      assertClose(on, "dx row " + n, rows.dx().getRow(n), dx.getRow(n));
    }
    assertThat(rows.y().getRow(dx.size(0)).norm2Number().doubleValue()).isZero();
  }
}
