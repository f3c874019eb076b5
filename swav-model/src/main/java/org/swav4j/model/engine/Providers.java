package org.swav4j.model.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engines to choose from.
 *
 * @param offered by decreasing preference
 * @param broken providers that could not be loaded, a line for each
 */
record Providers(List<EngineProvider> offered, List<String> broken) {
  private static final Logger LOG = LoggerFactory.getLogger(Engines.class);

  /** What was warned of already. */
  private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();

  /** So that a class path that fails over and over ends the search. */
  private static final int MOST_FAILURES = 100;

  Providers {
    List<EngineProvider> sorted = new ArrayList<>(offered);
    sorted.sort(Comparator.comparingInt(EngineProvider::preference).reversed());
    offered = List.copyOf(sorted);
    broken = List.copyOf(broken);
  }

  /**
   * Those that this library's class loader sees, and the thread's own: an application may bring the
   * library in one and its engine in the other.
   */
  static Providers find() {
    Set<ClassLoader> loaders = new LinkedHashSet<>();
    loaders.add(Engines.class.getClassLoader());
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    if (context != null) {
      loaders.add(context);
    }
    return find(loaders);
  }

  private static Providers find(Set<ClassLoader> loaders) {
    Map<Class<?>, EngineProvider> found = new LinkedHashMap<>();
    Set<String> broken = new LinkedHashSet<>();
    for (ClassLoader loader : loaders) {
      Iterator<EngineProvider> providers =
          ServiceLoader.load(EngineProvider.class, loader).iterator();
      for (int failures = 0; failures < MOST_FAILURES; ) {
        try {
          if (!providers.hasNext()) {
            break;
          }
          EngineProvider provider = providers.next();
          found.putIfAbsent(provider.getClass(), provider);
        } catch (ServiceConfigurationError | LinkageError e) {
          // The iterator goes on with the next provider.
          broken.add(root(e));
          failures++;
        }
      }
    }
    broken.forEach(line -> warn("a provider of an engine can't be loaded: " + line));
    return new Providers(List.copyOf(found.values()), List.copyOf(broken));
  }

  List<String> names() {
    return offered.stream().map(EngineProvider::name).toList();
  }

  Engine best(Precision precision) {
    List<String> obstacles = new ArrayList<>();
    for (EngineProvider provider : offered) {
      Optional<String> obstacle = obstacle(provider, precision);
      if (obstacle.isEmpty()) {
        obstacles.forEach(line -> warn(line + " [" + provider.name() + " runs instead]"));
        return provider.create(precision);
      }
      obstacles.add("engine " + provider.name() + " is not used: " + obstacle.get());
    }
    throw new IllegalArgumentException(
        "no engine can run here in " + precision.label() + ": " + told(obstacles));
  }

  Engine of(String name, Precision precision) {
    String wanted = name.toLowerCase(Locale.ROOT);
    if (wanted.equals("auto")) {
      return best(precision);
    }
    for (EngineProvider provider : offered) {
      if (provider.name().equals(wanted)) {
        obstacle(provider, precision)
            .ifPresent(
                why -> {
                  throw new IllegalArgumentException(
                      "engine " + wanted + " can't run here: " + why);
                });
        return provider.create(precision);
      }
    }
    List<String> known = new ArrayList<>(names());
    known.add(0, "auto");
    int last = known.size() - 1;
    throw new IllegalArgumentException(
        "engine \""
            + name
            + "\" is unknown: write "
            + String.join(", ", known.subList(0, last))
            + " or "
            + known.get(last)
            + (broken.isEmpty() ? "" : "; not loaded: " + String.join("; ", broken)));
  }

  boolean canRun(String name, Precision precision) {
    return named(name).anyMatch(provider -> obstacle(provider, precision).isEmpty());
  }

  boolean computesIn(String name, Precision precision) {
    return named(name).anyMatch(provider -> provider.precisions().contains(precision));
  }

  private Stream<EngineProvider> named(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    return offered.stream()
        .filter(provider -> wanted.equals("auto") || provider.name().equals(wanted));
  }

  String explain() {
    StringBuilder passedOver = new StringBuilder();
    for (EngineProvider provider : offered) {
      Optional<String> obstacle = obstacle(provider, Precision.FLOAT);
      if (obstacle.isEmpty()) {
        return provider.description() + passedOver;
      }
      passedOver.append("; ").append(provider.name()).append(" is not used: ");
      passedOver.append(obstacle.get());
    }
    return "none" + passedOver;
  }

  private String told(List<String> obstacles) {
    List<String> all = new ArrayList<>(obstacles);
    broken.forEach(line -> all.add("not loaded: " + line));
    return all.isEmpty() ? "no provider is on the class path" : String.join("; ", all);
  }

  private static Optional<String> obstacle(EngineProvider provider, Precision precision) {
    try {
      return provider.obstacle(precision);
    } catch (RuntimeException | LinkageError e) {
      return Optional.of("its provider failed when asked whether it can run (" + root(e) + ")");
    }
  }

  private static String root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    String outer = failure instanceof ServiceConfigurationError ? failure.getMessage() : "";
    return root == failure ? String.valueOf(root.getMessage()) : outer + " (" + root + ")";
  }

  private static void warn(String line) {
    if (WARNED.add(line)) {
      LOG.warn("{}", line);
    }
  }
}
