package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.swav4j.data.DataSets;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.TrainingException;
import org.swav4j.train.report.HtmlReport;
import org.swav4j.train.report.ReportedRun;
import org.swav4j.train.report.RunData;
import org.swav4j.train.report.RunRecord;
import org.swav4j.train.run.CheckpointFile;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes the page of a run again, or one that shows two runs side by side. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes report.html of a run, finished or still going, as train does after every epoch: curves,"
          + " crops, prototypes, a map of the features, neighbours, settings, data and advice. One"
          + " file, to be opened with any browser.",
      "With two runs: both on one page, side by side, with the settings that differ."
    })
final class ReportCommand implements Callable<Integer> {
  @Mixin OutputOptions output;

  @Parameters(arity = "1..2", paramLabel = "RUN", description = "A run folder, or two.")
  List<Path> runs;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "The page. Not given: report.html in the run folder; with two runs, report-A-B.html here,"
              + " with their names.")
  Path out;

  @Option(
      names = "--data",
      paramLabel = "SPEC",
      description = "Where the images lie, if they were moved since. Not given: as the run has it.")
  String data;

  @Override
  public Integer call() {
    List<RunFolder> folders = runs.stream().map(RunFolder::existing).toList();
    Path file = file();
    requireWritable(file);
    Backend.start();
    List<HtmlReport.Side> sides = folders.stream().map(this::side).toList();
    long begin = System.nanoTime();
    try {
      HtmlReport.write(file, sides);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " can't be written: " + e.getMessage(), e);
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "report");
    fields.put("file", file.toString());
    fields.put("runs", runs.stream().map(Path::toString).toList());
    fields.put("seconds", seconds);
    output.result(fields, String.format(Locale.ROOT, "%s, written in %.1f s", file, seconds));
    return 0;
  }

  private Path file() {
    if (out != null) {
      return out;
    }
    return runs.size() == 1
        ? runs.get(0).resolve(HtmlReport.FILE)
        : Path.of("report-" + name(runs.get(0)) + "-" + name(runs.get(1)) + ".html");
  }

  private static Path name(Path run) {
    return run.toAbsolutePath().normalize().getFileName();
  }

  private static void requireWritable(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || !Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "--out is "
              + file
              + ", expected a file such as report.html in a folder that exists; "
              + (Files.isDirectory(file) ? file : folder)
              + (Files.isDirectory(file) ? " is a folder" : " doesn't"));
    }
  }

  /** All of a run that the page is made of, refused before anything is written. */
  private HtmlReport.Side side(RunFolder folder) {
    TrainingConfig config = folder.readConfig();
    List<EpochMetrics> epochs = epochs(folder);
    Checkpoint checkpoint = CheckpointFile.read(folder.checkpoint());
    SwavWeights weights = weights(folder);
    Optional<DataSets> images = images(folder, config, checkpoint);
    Engine engine = Engines.of(config.execution().engine(), Precision.FLOAT);
    return new HtmlReport.Side(
        new HtmlReport(
            new ReportedRun(
                config,
                new RunData(checkpoint.images(), checkpoint.channels(), checkpoint.data(), images),
                engine,
                () -> weights)),
        folder.directory(),
        new RunRecord(epochs, checkpoint.rawPixels()));
  }

  private static List<EpochMetrics> epochs(RunFolder folder) {
    List<EpochMetrics> epochs;
    try {
      epochs = MetricsLog.epochs(folder.metrics());
    } catch (IOException | RuntimeException e) {
      throw new TrainingException(
          folder.metrics()
              + " can't be used: "
              + SwavCommand.describe(e)
              + "; it is written by train and needed for the curves",
          e);
    }
    if (epochs.isEmpty() || epochs.get(epochs.size() - 1).epoch() == 0) {
      throw new TrainingException(
          folder.metrics()
              + " tells of no epoch that is done: there is something to see after the first");
    }
    return epochs;
  }

  private static SwavWeights weights(RunFolder folder) {
    try {
      return SwavWeights.load(folder.weights());
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** Empty, with a note, where they aren't those of the run any more. */
  private Optional<DataSets> images(
      RunFolder folder, TrainingConfig config, Checkpoint checkpoint) {
    String spec = data == null ? config.data().spec() : data;
    try {
      DataSets sets = TrainingData.open(config.withData(spec).data());
      checkpoint.requireSameData(sets.train(), spec);
      return Optional.of(sets);
    } catch (IllegalArgumentException | TrainingException e) {
      if (data != null) {
        throw e;
      }
      output.note(
          "%s: pictures are left out: %s; --data says where the images are now",
          folder.directory(), SwavCommand.describe(e));
      return Optional.empty();
    }
  }
}
