package org.swav4j.train.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.conformance.Conformance;
import org.swav4j.train.conformance.Outcome;
import org.swav4j.train.conformance.Outcome.Status;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Checks this build, on this machine and back end, against recorded numbers. */
@Command(
    name = "conformance",
    mixinStandardHelpOptions = true,
    description =
        "Runs the code that training uses over a folder of fixture files (recorded inputs and"
            + " results) and compares. One line per file and precision, with the check that came"
            + " nearest to its tolerance; whatever is not covered is listed. Exit status 0 if every"
            + " check passes, 1 if one fails or a file is broken, 2 if there is nothing to check.")
final class ConformanceCommand implements Callable<Integer> {
  @Mixin OutputOptions output;

  @Parameters(
      paramLabel = "DIR",
      description = "Folder with sinkhorn.json, swav_loss.json, lars.json and so on.")
  Path folder;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "What runs the layers in float: auto, onednn or nd4j. In double: nd4j.")
  String engine;

  @Override
  public Integer call() {
    Backend.start();
    Engine floats = Engines.of(engine, Precision.FLOAT);
    List<Outcome> all = new Conformance(floats).run(folder, this::report);
    long bad =
        all.stream()
            .filter(o -> o.status() == Status.FAILED || o.status() == Status.UNREADABLE)
            .count();
    long good = all.stream().filter(o -> o.status() == Status.OK).count();
    if (good + bad == 0) {
      throw new IllegalArgumentException(
          folder
              + " has only files that nothing here is checked by, expected fixture files such as"
              + " sinkhorn.json, swav_loss.json or lars.json");
    }
    if (!output.json) {
      output.out().println(summary(all, good, bad));
    }
    return bad == 0 ? 0 : SwavCommand.FAILURE;
  }

  private static String summary(List<Outcome> all, long good, long bad) {
    int checks = all.stream().mapToInt(Outcome::checks).sum();
    String gaps =
        String.format(Locale.ROOT, "; not covered: %d, listed above", all.size() - good - bad);
    return bad == 0
        ? String.format(Locale.ROOT, "all %d checks pass%s", checks, gaps)
        : String.format(Locale.ROOT, "FAILED: %d of %d lines%s", bad, good + bad, gaps);
  }

  private void report(Outcome o) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "conformance");
    fields.put("file", o.file());
    fields.put("status", o.status().toString());
    if (!o.precision().isEmpty()) {
      fields.put("precision", o.precision());
      fields.put("engine", o.engine().isEmpty() ? null : o.engine());
      fields.put("cases", o.cases());
      fields.put("checks", o.checks());
      fields.put("difference", o.difference());
      fields.put("tolerance", o.tolerance());
    }
    fields.put("detail", o.detail());
    output.result(fields, line(o));
  }

  private static String line(Outcome o) {
    if (o.precision().isEmpty()) {
      return String.format(Locale.ROOT, "%-22s %s: %s", o.file(), o.status(), o.detail());
    }
    return String.format(
        Locale.ROOT,
        "%-22s %-6s %-6s %3d cases %5d checks  largest difference %.1e of %.0e  %s (%s)",
        o.file(),
        o.precision(),
        o.engine(),
        o.cases(),
        o.checks(),
        o.difference(),
        o.tolerance(),
        o.status() == Status.FAILED ? "FAILED" : "ok",
        o.detail());
  }
}
