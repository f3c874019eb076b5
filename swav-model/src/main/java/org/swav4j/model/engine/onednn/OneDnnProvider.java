package org.swav4j.model.engine.onednn;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.EngineProvider;
import org.swav4j.model.engine.Precision;

/**
 * Offers {@link OneDnnEngine} on x86-64 processors, where its library loads and ND4J's arrays lie
 * in host memory: the engine reads and writes them there.
 */
public final class OneDnnProvider implements EngineProvider {
  private final BooleanSupplier arraysInHostMemory;

  /** For the back end of ND4J that is live. */
  public OneDnnProvider() {
    this(() -> Nd4j.getEnvironment().isCPU());
  }

  /** For a stand-in of the back end. */
  OneDnnProvider(BooleanSupplier arraysInHostMemory) {
    this.arraysInHostMemory = arraysInHostMemory;
  }

  /** Whether the library loads, found out once. */
  private static final class Library {
    /** Why not; null if it does. */
    static final String OBSTACLE = obstacle();

    private static String obstacle() {
      String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
      if (!List.of("amd64", "x86_64", "x86-64", "x64").contains(processor)) {
        return "it is for x86-64 processors and this one is " + processor + ": choose engine nd4j";
      }
      try {
        Dnnl.engine();
        return null;
      } catch (LinkageError | RuntimeException e) {
        Throwable root = e;
        while (root.getCause() != null) {
          root = root.getCause();
        }
        return "its library can't be loaded ("
            + root
            + "): put dnnl-*.jar and opencl-*.jar for this platform on the class path, or choose"
            + " engine nd4j, which takes about twice the time";
      }
    }
  }

  @Override
  public String name() {
    return OneDnnEngine.NAME;
  }

  @Override
  public int preference() {
    return 100;
  }

  @Override
  public Optional<String> obstacle(Precision precision) {
    if (!arraysInHostMemory.getAsBoolean()) {
      return Optional.of(
          "it computes in host memory, and the arrays of ND4J's live back end lie elsewhere:"
              + " choose engine nd4j, or leave only the CPU back end on the class path");
    }
    if (Library.OBSTACLE != null) {
      return Optional.of(Library.OBSTACLE);
    }
    return OneDnnEngine.obstacle(precision);
  }

  @Override
  public Engine create(Precision precision) {
    return new OneDnnEngine(precision);
  }

  @Override
  public String description() {
    return name() + " (" + OneDnnEngine.describe() + ")";
  }
}
