package org.swav4j.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.BiConsumer;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.TrainingListener;

/** Keeps the reports of a run up to date. */
public final class ReportListener implements TrainingListener {
  private final Path folder;
  private final Map<String, RunReport> reports;
  private final List<String> files;
  private final double rawPixels;
  private final List<EpochMetrics> epochs;
  private final BiConsumer<String, Throwable> failed;

  /**
   * A listener for one run.
   *
   * @param folder of the run
   * @param reports what is written, by its file
   * @param earlier epochs done before the run was resumed
   * @param rawPixels k-NN accuracy on raw pixels; NaN if not measured
   * @param failed told which file can't be written and why, once for each, which is then given up
   */
  public ReportListener(
      Path folder,
      Map<String, RunReport> reports,
      List<EpochMetrics> earlier,
      double rawPixels,
      BiConsumer<String, Throwable> failed) {
    this.folder = folder;
    this.reports = new LinkedHashMap<>(reports);
    this.files = List.copyOf(this.reports.keySet());
    this.rawPixels = rawPixels;
    this.epochs = new ArrayList<>(earlier);
    this.failed = failed;
  }

  /**
   * A listener with every report that a {@link ReportProvider} brings.
   *
   * @param folder of the run
   * @param run what it is
   * @param earlier epochs done before the run was resumed
   * @param rawPixels k-NN accuracy on raw pixels; NaN if not measured
   * @param failed told which file can't be written and why, once for each, which is then given up
   */
  public static ReportListener of(
      Path folder,
      ReportedRun run,
      List<EpochMetrics> earlier,
      double rawPixels,
      BiConsumer<String, Throwable> failed) {
    Map<String, RunReport> reports = new LinkedHashMap<>();
    Iterator<ReportProvider> providers =
        ServiceLoader.load(ReportProvider.class, ReportProvider.class.getClassLoader()).iterator();
    try {
      while (providers.hasNext()) {
        ReportProvider provider = providers.next();
        provider.report(run).ifPresent(report -> reports.put(provider.file(), report));
      }
    } catch (ServiceConfigurationError | LinkageError e) {
      failed.accept("a report", e);
    }
    return new ReportListener(folder, reports, earlier, rawPixels, failed);
  }

  /** The files that reports write, as paths in the run's folder, whether they can be or not. */
  public List<String> files() {
    return files;
  }

  /** All epochs of the run, before it was resumed and since. */
  public List<EpochMetrics> epochs() {
    return List.copyOf(epochs);
  }

  @Override
  public void epoch(EpochMetrics metrics) {
    epochs.add(metrics);
    RunRecord run = new RunRecord(epochs, rawPixels);
    reports.entrySet().removeIf(report -> !written(report.getKey(), report.getValue(), run));
  }

  private boolean written(String file, RunReport report, RunRecord run) {
    try {
      report.write(folder, run);
      return true;
    } catch (IOException | RuntimeException | LinkageError e) {
      // A report is not worth failing a run: for a picture, fonts may be missing.
      failed.accept(file, e);
      return false;
    }
  }
}
