package org.swav4j.model.engine.onednn;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.onednn.StepSnapshot.Case;

/** Whole training steps: oneDNN in floats against ND4J in doubles, on every instruction set. */
class OneDnnStepTest {
  private static final double TOLERANCE = 1e-4;

  private static Map<String, double[]> small;

  @BeforeAll
  static void smallInDoubles() {
    small = StepSnapshot.of(StepSnapshot.SMALL, new Nd4jEngine(), DataType.DOUBLE);
  }

  @Test
  void aStepEqualsNd4jsInDoubles() {
    Case c =
        new Case(
            new SwavConfig(Architecture.RESNET20, 1, Stem.SMALL, 1, 24, 16, 20, 0.1),
            List.of(new CropGroup(2, 12), new CropGroup(2, 8)),
            8,
            2);
    assertThat(
            distance(
                StepSnapshot.of(c, new OneDnnEngine(), DataType.FLOAT),
                StepSnapshot.of(c, new Nd4jEngine(), DataType.DOUBLE)))
        .isLessThan(TOLERANCE);
  }

  /** Fifty layers amplify rounding: what matters is that oneDNN's is no worse than ND4J's. */
  @Test
  void aDeepStepIsAsNearToDoublesAsNd4jsInFloats() {
    Case c =
        new Case(
            new SwavConfig(Architecture.RESNET50, 0.1, Stem.IMAGENET, 3, 16, 6, 9, 0.1),
            List.of(new CropGroup(3, 40)),
            6,
            1);
    Map<String, double[]> exact = StepSnapshot.of(c, new Nd4jEngine(), DataType.DOUBLE);
    double ours = distance(StepSnapshot.of(c, new OneDnnEngine(), DataType.FLOAT), exact);
    double theirs = distance(StepSnapshot.of(c, new Nd4jEngine(), DataType.FLOAT), exact);
    assertThat(ours).isLessThan(2 * theirs + TOLERANCE);
  }

  @Test
  void aStepOfChannelsThatFitNoBlockEqualsNd4jsInDoubles() {
    assertThat(
            distance(
                StepSnapshot.of(StepSnapshot.SMALL, new OneDnnEngine(), DataType.FLOAT), small))
        .isLessThan(TOLERANCE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"AVX2", "SSE41"})
  void aStepOnALesserProcessorEqualsNd4jsInDoubles(String cap, @TempDir Path folder)
      throws IOException, InterruptedException {
    Path file = folder.resolve("results");
    OtherJvm.Outcome outcome =
        OtherJvm.run(
            Map.of("DNNL_MAX_CPU_ISA", cap), e -> true, StepSnapshot.class, file.toString());
    assertThat(outcome.status()).as(outcome.output()).isZero();
    StepSnapshot.Written written = StepSnapshot.read(file);
    assertThat(written.isa()).isEqualTo(cap);
    assertThat(distance(written.results(), small)).isLessThan(TOLERANCE);
  }

  /**
   * The largest distance of a result relative to its norm; a gradient far smaller than the largest
   * (a bias before batch norm has none at all) counts relative to a thousandth of that.
   */
  private static double distance(Map<String, double[]> actual, Map<String, double[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    double largest =
        expected.entrySet().stream()
            .filter(e -> e.getKey().startsWith("gradient"))
            .mapToDouble(e -> norm(e.getValue()))
            .max()
            .orElseThrow();
    double worst = 0;
    for (String key : expected.keySet()) {
      double[] a = actual.get(key);
      double[] b = expected.get(key);
      double[] difference = new double[a.length];
      for (int i = 0; i < a.length; i++) {
        difference[i] = a[i] - b[i];
      }
      double d = norm(difference) / Math.max(norm(b), largest / 1000);
      worst = Double.isNaN(d) ? Double.NaN : Math.max(worst, d);
    }
    return worst;
  }

  private static double norm(double[] v) {
    double squares = 0;
    for (double x : v) {
      squares += x * x;
    }
    return Math.sqrt(squares);
  }
}
