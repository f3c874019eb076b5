package org.swav4j.train.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.swav4j.model.Objective;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Nd4jEngine;

/**
 * Runs folders of fixture files through the code that training uses.
 *
 * <p>A file is known by its name ({@code sinkhorn.json}, {@code swav_loss.json}, ...); a file, case
 * or field that nothing here looks at is listed as not covered. Not thread-safe.
 */
public final class Conformance {
  private static final String ENDING = ".json";

  private final Map<String, Suite> suites;
  private final Engine inFloat;
  private final Engine inDouble = new Nd4jEngine();

  /**
   * A run over the code that training uses.
   *
   * @param engine what runs the layers in float; in double, ND4J's does
   */
  public Conformance(Engine engine) {
    this(engine, UnaryOperator.identity());
  }

  /** The same with another loss than SwAV's. */
  Conformance(Engine engine, UnaryOperator<Objective> loss) {
    this.inFloat = engine;
    this.suites =
        Map.of(
            "sinkhorn", new CodesSuite(),
            "entropic_ot", new TransportSuite(),
            "swav_loss", new LossSuite(loss),
            "batch_norm", new BatchNormSuite(),
            "l2_normalize", new RowsSuite(),
            "lars", new LarsSuite(),
            "lr_schedule", new ScheduleSuite(),
            "image_ops", new ImageOpsSuite(),
            "spherical_kmeans", new ClustersSuite());
  }

  /**
   * Runs every {@code .json} file of a folder, in the order of their names.
   *
   * @param folder its subfolders are left alone
   * @param each told of every outcome as it comes
   * @return all outcomes
   * @throws IllegalArgumentException if it is no folder or has no such file
   */
  public List<Outcome> run(Path folder, Consumer<Outcome> each) {
    List<Outcome> all = new ArrayList<>();
    for (Path file : files(folder)) {
      for (Outcome outcome : run(file)) {
        each.accept(outcome);
        all.add(outcome);
      }
    }
    return all;
  }

  private static List<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          folder
              + (Files.exists(folder) ? " is a file" : " does not exist")
              + ", expected a folder of fixture files such as sinkhorn.json");
    }
    try (Stream<Path> entries = Files.list(folder)) {
      List<Path> files =
          entries
              .filter(p -> p.getFileName().toString().endsWith(ENDING) && Files.isRegularFile(p))
              .sorted()
              .toList();
      if (files.isEmpty()) {
        throw new IllegalArgumentException(
            folder + " has no .json file, expected fixture files such as sinkhorn.json in it");
      }
      return files;
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " can't be listed: " + e.getMessage(), e);
    }
  }

  private List<Outcome> run(Path path) {
    String name = path.getFileName().toString();
    Suite suite = suites.get(name.substring(0, name.length() - ENDING.length()));
    if (suite == null) {
      return List.of(Outcome.notCovered(name, "nothing in this build is checked by it"));
    }
    try {
      return run(name, suite, Fixture.read(path));
    } catch (FixtureException e) {
      return List.of(Outcome.unreadable(name, e.getMessage()));
    }
  }

  private List<Outcome> run(String name, Suite suite, Fixture file) {
    List<Outcome> outcomes = new ArrayList<>();
    Set<String> gaps = new LinkedHashSet<>();
    for (Arithmetic arithmetic : suite.arithmetics()) {
      Engine engine = arithmetic == Arithmetic.FLOAT ? inFloat : inDouble;
      Comparisons comparisons = new Comparisons(arithmetic);
      suite.run(file, comparisons, engine);
      if (comparisons.any()) {
        outcomes.add(comparisons.outcome(name, suite.usesEngine() ? engine.name() : ""));
      }
      gaps.addAll(comparisons.gaps());
    }
    Set<String> unread = file.unread();
    if (!unread.isEmpty()) {
      gaps.add("unknown: " + String.join(", ", unread));
    }
    gaps.forEach(gap -> outcomes.add(Outcome.notCovered(name, gap)));
    return outcomes;
  }
}
