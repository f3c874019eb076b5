package org.swav4j.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.TrainingListener;

/** Keeps a report of a run up to date. */
public final class ReportListener implements TrainingListener {
  private final Path folder;
  private final RunReport report;
  private final double rawPixels;
  private final List<EpochMetrics> epochs;
  private final Consumer<Throwable> failed;
  private boolean writing = true;

  /**
   * A listener for one run.
   *
   * @param folder of the run
   * @param report what is written
   * @param earlier epochs done before the run was resumed
   * @param rawPixels k-NN accuracy on raw pixels; NaN if not measured
   * @param failed told why the report can't be written, once; it is then given up
   */
  public ReportListener(
      Path folder,
      RunReport report,
      List<EpochMetrics> earlier,
      double rawPixels,
      Consumer<Throwable> failed) {
    this.folder = folder;
    this.report = report;
    this.rawPixels = rawPixels;
    this.epochs = new ArrayList<>(earlier);
    this.failed = failed;
  }

  /** All epochs of the run, before it was resumed and since. */
  public List<EpochMetrics> epochs() {
    return List.copyOf(epochs);
  }

  @Override
  public void epoch(EpochMetrics metrics) {
    epochs.add(metrics);
    if (!writing) {
      return;
    }
    try {
      report.write(folder, new RunRecord(epochs, rawPixels));
    } catch (IOException | RuntimeException | LinkageError e) {
      // A report is not worth failing a run: for a picture, fonts may be missing.
      writing = false;
      failed.accept(e);
    }
  }
}
