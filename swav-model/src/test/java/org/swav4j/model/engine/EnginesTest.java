package org.swav4j.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.swav4j.model.engine.onednn.OtherJvm;

class EnginesTest {
  /** Run with a class path without oneDNN's natives. */
  static final class WithoutNatives {
    public static void main(String[] arguments) {
      System.out.println("[" + Engines.best().name() + "," + Engines.best().name() + "]");
      System.out.println("[" + Engines.explain() + "]");
      try {
        Engines.of("onednn", Precision.FLOAT);
      } catch (IllegalArgumentException e) {
        System.out.println("[" + e.getMessage() + "]");
      }
    }
  }

  @Test
  void aMissingLibraryMeansNd4jAndIsSaidOnce() throws IOException, InterruptedException {
    OtherJvm.Outcome outcome =
        OtherJvm.run(
            Map.of(), e -> !(e.contains("dnnl-") && e.contains("x86_64")), WithoutNatives.class);
    assertThat(outcome.status()).as(outcome.output()).isZero();
    assertThat(outcome.output())
        .contains("[nd4j,nd4j]")
        .contains("[nd4j: oneDNN is not used, for its library can't be loaded")
        .contains("[engine onednn can't run here: its library can't be loaded");
    assertThat(outcome.output().split("WARN.*oneDNN is not used", -1)).hasSize(2);
  }

  @Test
  void oneDnnIsBestWhereItLoads() {
    assertThat(Engines.best().name()).isEqualTo("onednn");
    assertThat(Engines.explain()).startsWith("onednn (oneDNN 2.5.2, ");
  }

  @Test
  void enginesGoByTheirNames() {
    for (String name : Engines.NAMES) {
      assertThat(Engines.of(name, Precision.FLOAT).name()).isEqualTo(name);
    }
    assertThat(Engines.of("auto", Precision.FLOAT).name()).isEqualTo("onednn");
    assertThatThrownBy(() -> Engines.of("cuda", Precision.FLOAT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"cuda\" is unknown: write auto, onednn or nd4j");
    assertThatThrownBy(() -> Engines.of("nd4j", Precision.BF16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--engine onednn");
  }

  @Test
  void precisionsGoByTheirLabels() {
    for (Precision p : Precision.values()) {
      assertThat(Precision.of(p.label())).isEqualTo(p);
    }
    assertThatThrownBy(() -> Precision.of("half"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"half\" is unknown: write float or bf16");
  }
}
