package org.swav4j.benchmarks.study;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.swav4j.model.AtomicFile;

/**
 * Puts tables of all experiments with logs into {@code README.md} of the study, and draws a plot of
 * each: between the lines {@code <!-- NAME -->} and {@code <!-- /NAME -->}, so that what is written
 * around them stays. {@code benchmarks/study/report.sh} starts it.
 */
public final class Report {
  private Report() {}

  /**
   * Writes tables and plots.
   *
   * @param arguments the folder of the study
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 1) {
      System.err.println("expected: the folder benchmarks/study");
      System.exit(2);
    }
    Path study = Path.of(arguments[0]);
    Path readme = study.resolve("README.md");
    String text = Files.readString(readme);
    try (var files = Files.list(study.resolve("experiments"))) {
      for (Path file : files.sorted().toList()) {
        Experiment experiment = Experiment.read(file);
        Results results = Results.read(experiment, study.resolve("logs"));
        if (results.isEmpty()) {
          continue;
        }
        String name = experiment.name();
        Path plot = Path.of("plots", name + ".png");
        Files.createDirectories(study.resolve("plots"));
        new StudyPlot(results).write(study.resolve(plot));
        text =
            insert(
                text,
                name,
                Tables.of(results) + "\n![" + experiment.question() + "](" + plot + ")\n");
      }
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(readme, out -> Channels.newOutputStream(out).write(bytes));
  }

  /**
   * The text with what stands between an experiment's marks replaced; marks that are missing are
   * added at the end.
   */
  static String insert(String text, String name, String content) {
    String begin = "<!-- " + name + " -->\n";
    String end = "<!-- /" + name + " -->\n";
    int from = text.indexOf(begin);
    int to = text.indexOf(end);
    if (from < 0 || to < from) {
      return String.join("\n", List.of(text.stripTrailing(), "", begin + content + end));
    }
    return text.substring(0, from + begin.length()) + content + text.substring(to);
  }
}
