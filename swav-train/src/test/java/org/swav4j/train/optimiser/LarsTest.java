package org.swav4j.train.optimiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.testing.Golden;

class LarsTest {
  private static final JsonObject FILE = Golden.file("lars");

  static Stream<Arguments> casesOfBothTypes() {
    return FILE.getAsJsonArray("cases").asList().stream()
        .map(JsonElement::getAsJsonObject)
        .flatMap(
            c ->
                Stream.of(DataType.DOUBLE, DataType.FLOAT)
                    .map(type -> Arguments.of(c.get("name").getAsString(), type, c)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("casesOfBothTypes")
  void equalsTheRecordedSteps(String name, DataType type, JsonObject c) {
    Map<String, INDArray> parameters = new LinkedHashMap<>();
    FILE.getAsJsonObject("initial")
        .entrySet()
        .forEach(e -> parameters.put(e.getKey(), Golden.array(e.getValue(), type)));
    Lars lars = new Lars(rule(c));
    List<JsonElement> rates = FILE.getAsJsonObject("meta").getAsJsonArray("lr_per_step").asList();
    List<JsonElement> expected = c.getAsJsonArray(type == DataType.DOUBLE ? "f64" : "f32").asList();

    for (int step = 0; step < expected.size(); step++) {
      Map<String, INDArray> gradients = new HashMap<>();
      for (var g : c.getAsJsonArray("gradients").get(step).getAsJsonObject().entrySet()) {
        if (!g.getValue().isJsonNull()) {
          gradients.put(g.getKey(), Golden.array(g.getValue(), type));
        }
      }
      lars.step(parameters, gradients, rates.get(step).getAsDouble());
      JsonObject tensors = expected.get(step).getAsJsonObject().getAsJsonObject("tensors");
      for (var t : tensors.entrySet()) {
        String where = name + " step " + step + " " + t.getKey();
        JsonObject e = t.getValue().getAsJsonObject();
        near(where, parameters.get(t.getKey()), Golden.array(e.get("param"), type));
        JsonElement m = e.get("momentum_buffer");
        if (m != null && m.isJsonNull()) {
          assertThat(lars.state()).as(where).doesNotContainKey(t.getKey());
        } else if (m != null) {
          near(where + " momentum", lars.state().get(t.getKey()), Golden.array(m, type));
        }
      }
    }
  }

  private static Lars.Rule rule(JsonObject c) {
    Lars.Rule rule =
        Lars.Rule.of(c.get("momentum").getAsDouble(), c.get("weight_decay").getAsDouble())
            .withTrust(c.get("trust_coefficient").getAsDouble())
            .withEpsilon(c.get("eps").getAsDouble());
    if (c.get("clip").getAsBoolean()) {
      rule = rule.withRatio(Lars.Ratio.CLIP);
    }
    return c.getAsJsonArray("excluded").isEmpty() ? rule : rule.withScope(Lars.Scope.WEIGHTS);
  }

  private static void near(String where, INDArray actual, INDArray expected) {
    double tolerance = actual.dataType() == DataType.DOUBLE ? 1e-9 : 1e-5;
    double size = Math.max(1e-3, expected.norm2Number().doubleValue());
    assertThat(actual.sub(expected).norm2Number().doubleValue() / size)
        .as(where)
        .isLessThan(tolerance);
  }

  @Test
  void longTensorsOfBothTypesAgreeWithTheFormula() {
    // Longer than one block of the norm's lanes, and not a multiple of anything.
    int n = 140_961;
    INDArray w = Nd4j.rand(DataType.DOUBLE, n).subi(0.5);
    INDArray g = Nd4j.rand(DataType.DOUBLE, n).subi(0.5);
    double wNorm = w.norm2Number().doubleValue();
    double r = 0.001 * wNorm / (g.norm2Number().doubleValue() + 0.1 * wNorm + 1e-8);
    INDArray expected = w.sub(g.add(w.mul(0.1)).mul(r * 0.7));

    for (DataType type : List.of(DataType.DOUBLE, DataType.FLOAT)) {
      INDArray copy = w.castTo(type).dup();
      new Lars(0.9, 0.1).step(Map.of("w", copy), Map.of("w", g.castTo(type)), 0.7);
      INDArray moved = copy.castTo(DataType.DOUBLE).sub(expected);
      assertThat(moved.norm2Number().doubleValue())
          .isLessThan((type == DataType.DOUBLE ? 1e-12 : 1e-6) * wNorm);
    }
  }

  @Test
  void viewsOfOneArenaAndOtherMemoryOrdersGiveTheSameAndLeaveTheRestAlone() {
    INDArray arena = Nd4j.rand(DataType.FLOAT, 100);
    INDArray before = arena.dup();
    INDArray view = arena.get(NDArrayIndex.interval(10, 22)).reshape(3, 4);
    INDArray transposed = view.dup().permute(1, 0).dup('c').permute(1, 0);
    INDArray plain = view.dup();
    INDArray g = Nd4j.rand(DataType.FLOAT, 3, 4);
    INDArray gTransposed = g.permute(1, 0).dup('c').permute(1, 0);

    Map<INDArray, INDArray> pairs = new java.util.IdentityHashMap<>();
    pairs.put(view, g);
    pairs.put(transposed, gTransposed);
    INDArray mixed = transposed.dup('f');
    pairs.put(mixed, g);
    pairs.put(plain, g);
    pairs.forEach(
        (w, gradient) -> {
          Lars lars = new Lars(0.9, 1e-2);
          lars.step(Map.of("w", w), Map.of("w", gradient), 0.5);
          lars.step(Map.of("w", w), Map.of("w", gradient), 0.5);
        });

    assertThat(view.equalsWithEps(plain, 1e-7)).isTrue();
    assertThat(transposed.equalsWithEps(plain, 1e-7)).isTrue();
    assertThat(mixed.equalsWithEps(plain, 1e-6)).isTrue();
    assertThat(view.equalsWithEps(before.get(NDArrayIndex.interval(10, 22)).reshape(3, 4), 1e-7))
        .isFalse();
    assertThat(arena.get(NDArrayIndex.interval(0, 10)))
        .isEqualTo(before.get(NDArrayIndex.interval(0, 10)));
    assertThat(arena.get(NDArrayIndex.interval(22, 100)))
        .isEqualTo(before.get(NDArrayIndex.interval(22, 100)));
  }

  @Test
  void theSizeOfTheGradientCancelsOut() {
    INDArray w = Nd4j.rand(DataType.DOUBLE, 5, 7);
    INDArray g = Nd4j.rand(DataType.DOUBLE, 5, 7);
    INDArray a = w.dup();
    INDArray b = w.dup();
    Lars.Rule rule = Lars.Rule.of(0.9, 0).withEpsilon(0);
    new Lars(rule).step(Map.of("w", a), Map.of("w", g), 0.3);
    new Lars(rule).step(Map.of("w", b), Map.of("w", g.mul(1000)), 0.3);
    assertThat(a.equalsWithEps(b, 1e-14)).isTrue();
  }

  @Test
  void aRestoredOptimiserContinuesAsIfNeverInterrupted() {
    INDArray g = Nd4j.rand(DataType.FLOAT, 6, 4);
    Map<String, INDArray> through = Map.of("w", Nd4j.ones(DataType.FLOAT, 6, 4));
    Lars one = new Lars(0.9, 1e-6);
    one.step(through, Map.of("w", g), 1);
    Map<String, INDArray> resumed = Map.of("w", through.get("w").dup());
    Lars two = new Lars(0.9, 1e-6);
    two.restore(one.state());
    one.step(through, Map.of("w", g), 1);
    two.step(resumed, Map.of("w", g), 1);
    assertThat(resumed.get("w")).isEqualTo(through.get("w"));

    Lars other = new Lars(0.9, 1e-6);
    other.restore(one.state());
    INDArray wider = Nd4j.ones(DataType.FLOAT, 6, 5);
    assertThatThrownBy(() -> other.step(Map.of("w", wider), Map.of("w", wider.dup()), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("another architecture");
  }

  @Test
  void refusesWhatCannotBeAnUpdate() {
    INDArray w = Nd4j.ones(DataType.FLOAT, 2, 2);
    Lars lars = new Lars(0.9, 0);
    assertThatThrownBy(() -> lars.step(Map.of("w", w), Map.of("w", w.dup()), Double.NaN))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("learning rate NaN");
    assertThatThrownBy(() -> lars.step(Map.of("w", w), Map.of("v", w.dup()), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[v]");
    assertThatThrownBy(
            () -> lars.step(Map.of("w", w), Map.of("w", Nd4j.ones(DataType.FLOAT, 4)), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("FLOAT[4]")
        .hasMessageContaining("FLOAT[2, 2]");
    INDArray bad = w.dup();
    bad.putScalar(1, 1, Float.NaN);
    assertThatThrownBy(() -> lars.step(Map.of("w", w), Map.of("w", bad), 1))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("gradient of w has norm NaN");
    assertThat(w).isEqualTo(Nd4j.ones(DataType.FLOAT, 2, 2));
    assertThatThrownBy(() -> new Lars(1, 0)).hasMessageContaining("momentum 1.0");
    assertThatThrownBy(() -> new Lars(0.9, -1)).hasMessageContaining("weight decay -1.0");
    assertThatThrownBy(() -> Lars.Rule.of(0.9, 0).withTrust(0)).hasMessageContaining("trust");
  }
}
