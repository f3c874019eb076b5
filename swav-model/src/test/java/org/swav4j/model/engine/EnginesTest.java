package org.swav4j.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.model.engine.onednn.OneDnnProvider;
import org.swav4j.model.engine.onednn.OneDnnStandIn;
import org.swav4j.model.engine.onednn.OtherJvm;
import org.swav4j.model.plan.Plan;

class EnginesTest {
  /** An engine as somebody else would bring it. */
  static final class Own implements Engine {
    @Override
    public String name() {
      return "own";
    }

    @Override
    public Engine withPrecision(Precision precision) {
      return this;
    }

    @Override
    public Execution prepare(Plan plan) {
      return new Nd4jEngine().prepare(plan);
    }
  }

  /** Offers it above all others, in floats. */
  public static final class OwnProvider implements EngineProvider {
    @Override
    public String name() {
      return "own";
    }

    @Override
    public int preference() {
      return 1000;
    }

    @Override
    public Optional<String> obstacle(Precision precision) {
      return precision == Precision.FLOAT ? Optional.empty() : Optional.of("it knows floats only");
    }

    @Override
    public Engine create(Precision precision) {
      return new Own();
    }
  }

  /** Fails when it is made. */
  public static final class BrokenProvider implements EngineProvider {
    public BrokenProvider() {
      throw new UnsatisfiedLinkError("libown.so is not there");
    }

    @Override
    public String name() {
      return "broken";
    }

    @Override
    public int preference() {
      return 2000;
    }

    @Override
    public Optional<String> obstacle(Precision precision) {
      return Optional.empty();
    }

    @Override
    public Engine create(Precision precision) {
      throw new IllegalStateException();
    }
  }

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

  /** Evaluates with those providers on the class path too. */
  private static <T> T with(Path folder, Supplier<T> evaluated, String... providers)
      throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.write(services.resolve(EngineProvider.class.getName()), Arrays.asList(providers));
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    URL[] more = {folder.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(more, EnginesTest.class.getClassLoader())) {
      thread.setContextClassLoader(loader);
      return evaluated.get();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void aProviderOnTheClassPathIsFoundAndPreferredAsItAsks(@TempDir Path folder) throws IOException {
    String name = OwnProvider.class.getName();
    assertThat(with(folder, Engines::names, name)).containsExactly("own", "onednn", "nd4j");
    assertThat(with(folder, Engines::best, name)).isInstanceOf(Own.class);
    assertThat(with(folder, () -> Engines.of("OWN", Precision.FLOAT), name))
        .isInstanceOf(Own.class);
    assertThat(with(folder, Engines::explain, name)).isEqualTo("own");
    assertThatThrownBy(() -> with(folder, () -> Engines.of("own", Precision.BF16), name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("engine own can't run here: it knows floats only");
    assertThat(with(folder, () -> Engines.canRun("own", Precision.FLOAT), name)).isTrue();
    assertThat(with(folder, () -> Engines.canRun("own", Precision.BF16), name)).isFalse();
    assertThat(with(folder, () -> Engines.computesIn("own", Precision.BF16), name))
        .as("it doesn't say that it never does")
        .isTrue();
    assertThat(Engines.computesIn("nd4j", Precision.FLOAT)).isTrue();
    assertThat(Engines.computesIn("nd4j", Precision.BF16)).isFalse();
    assertThat(Engines.computesIn("auto", Precision.BF16)).isTrue();
    assertThat(Engines.canRun("own", Precision.FLOAT)).isFalse();
    assertThat(Engines.canRun("nd4j", Precision.BF16)).isFalse();
    assertThat(Engines.names()).containsExactly("onednn", "nd4j");
  }

  @Test
  void aProviderThatFailsToLoadIsNamedAndTheOthersWork(@TempDir Path folder) throws IOException {
    String[] names = {
      "org.example.NotThere", BrokenProvider.class.getName(), OwnProvider.class.getName()
    };
    assertThat(with(folder, Engines::best, names)).isInstanceOf(Own.class);
    assertThatThrownBy(() -> with(folder, () -> Engines.of("broken", Precision.FLOAT), names))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"broken\" is unknown: write auto, own, onednn or nd4j; not loaded")
        .hasMessageContaining("org.example.NotThere")
        .hasMessageContaining("BrokenProvider")
        .hasMessageContaining("libown.so is not there");
  }

  @Test
  void besideABackEndWithoutHostMemoryNd4jRuns() {
    Providers providers =
        new Providers(List.of(OneDnnStandIn.besideDeviceMemory(), new Nd4jProvider()), List.of());
    assertThat(providers.best(Precision.FLOAT)).isInstanceOf(Nd4jEngine.class);
    assertThat(providers.of("auto", Precision.FLOAT)).isInstanceOf(Nd4jEngine.class);
    assertThat(providers.explain())
        .startsWith("nd4j; onednn is not used: it computes in host memory, and the arrays");
    for (Precision precision : Precision.values()) {
      assertThatThrownBy(() -> providers.of("onednn", precision))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("engine onednn can't run here: it computes in host memory");
    }
    assertThatThrownBy(() -> providers.of("auto", Precision.BF16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("no engine can run here in bf16: engine onednn is not used: it")
        .hasMessageContaining("engine nd4j is not used: it computes in the type of the weights");
  }

  @Test
  void theOrderOfProvidersDoesNotMatterTheirPreferenceDoes() {
    EngineProvider oneDnn = new OneDnnProvider();
    EngineProvider nd4j = new Nd4jProvider();
    for (List<EngineProvider> offered : List.of(List.of(oneDnn, nd4j), List.of(nd4j, oneDnn))) {
      assertThat(new Providers(offered, List.of()).names()).containsExactly("onednn", "nd4j");
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
        .contains("[nd4j; onednn is not used: its library can't be loaded")
        .contains("[engine onednn can't run here: its library can't be loaded");
    assertThat(outcome.output().split("WARN.*onednn is not used", -1)).hasSize(2);
  }

  @Test
  void oneDnnIsBestWhereItLoads() {
    assertThat(Engines.best().name()).isEqualTo("onednn");
    assertThat(Engines.explain()).startsWith("onednn (oneDNN 2.5.2, ");
  }

  @Test
  void enginesGoByTheirNames() {
    for (String name : Engines.names()) {
      Engine engine = Engines.of(name, Precision.FLOAT);
      assertThat(engine.name()).isEqualTo(name);
      assertThat(engine.withPrecision(Precision.FLOAT)).isSameAs(engine);
    }
    assertThat(Engines.of("auto", Precision.FLOAT).name()).isEqualTo("onednn");
    assertThatThrownBy(() -> Engines.of("cuda", Precision.FLOAT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("engine \"cuda\" is unknown: write auto, onednn or nd4j");
    assertThatThrownBy(() -> Engines.of("nd4j", Precision.BF16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("choose precision float, or engine onednn");
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
