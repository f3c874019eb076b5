package org.swav4j.model.engine;

import java.util.List;
import java.util.Locale;
import org.slf4j.LoggerFactory;
import org.swav4j.model.engine.onednn.OneDnnEngine;

/** Which engine to run plans with. Safe for use by several threads. */
public final class Engines {
  /** The names {@link #of} knows, the fastest first. */
  public static final List<String> NAMES = List.of("onednn", "nd4j");

  private Engines() {}

  /** Whether oneDNN can be used here, found out once. */
  private static final class OneDnn {
    /** Why not; null if it can. */
    static final String OBSTACLE = obstacle();

    private static String obstacle() {
      String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
      if (!List.of("amd64", "x86_64", "x86-64", "x64").contains(processor)) {
        return "it is for x86-64 processors and this one is " + processor;
      }
      try {
        new OneDnnEngine();
        return null;
      } catch (LinkageError | RuntimeException e) {
        Throwable root = e;
        while (root.getCause() != null) {
          root = root.getCause();
        }
        return "its library can't be loaded ("
            + root
            + "): are dnnl-*.jar and opencl-*.jar for this platform on the class path?";
      }
    }
  }

  /** Said when oneDNN is passed over; a class is initialised once, so it is said once. */
  private static final class Warning {
    static {
      LoggerFactory.getLogger(Engines.class)
          .warn(
              "oneDNN is not used: {} Plans run by ND4J instead, about half as fast.",
              OneDnn.OBSTACLE);
    }

    static void give() {}
  }

  /**
   * The fastest engine this machine can run in floats; says once if that is not oneDNN, and why.
   */
  public static Engine best() {
    if (OneDnn.OBSTACLE == null) {
      return new OneDnnEngine();
    }
    Warning.give();
    return new Nd4jEngine();
  }

  /**
   * The engine of that name.
   *
   * @param name {@code onednn}, {@code nd4j} or {@code auto}, which is {@link #best} for floats and
   *     oneDNN for bf16
   * @throws IllegalArgumentException if there is no such engine, if it can't run on this machine,
   *     or not in this precision
   */
  public static Engine of(String name, Precision precision) {
    switch (name.toLowerCase(Locale.ROOT)) {
      case "auto":
        return precision == Precision.FLOAT ? best() : oneDnn(precision);
      case "onednn":
        return oneDnn(precision);
      case "nd4j":
        if (precision != Precision.FLOAT) {
          throw new IllegalArgumentException(
              "engine nd4j computes in the type of the weights, not in "
                  + precision.label()
                  + ": use --engine onednn or --precision float");
        }
        return new Nd4jEngine();
      default:
        throw new IllegalArgumentException(
            "engine \"" + name + "\" is unknown: write auto, " + String.join(" or ", NAMES));
    }
  }

  private static Engine oneDnn(Precision precision) {
    if (OneDnn.OBSTACLE != null) {
      throw new IllegalArgumentException(
          "engine onednn can't run here: " + OneDnn.OBSTACLE + " Otherwise use --engine nd4j");
    }
    return new OneDnnEngine(precision);
  }

  /** Which engine {@link #best} gives and why, in one line. */
  public static String explain() {
    return OneDnn.OBSTACLE == null
        ? "onednn (%s): fastest on x86-64".formatted(OneDnnEngine.describe())
        : "nd4j: oneDNN is not used, for " + OneDnn.OBSTACLE;
  }
}
