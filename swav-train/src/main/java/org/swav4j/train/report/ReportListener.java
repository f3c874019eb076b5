package org.swav4j.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.TrainingListener;

/** Keeps the run folder's picture up to date, so that a long run can be looked at as it goes. */
public final class ReportListener implements TrainingListener {
  private final Path picture;
  private final double rawPixels;
  private final List<EpochMetrics> epochs;
  private final Consumer<Throwable> failed;
  private boolean drawing = true;

  /**
   * A listener for one run.
   *
   * @param earlier epochs done before the run was resumed
   * @param rawPixels k-NN accuracy on raw pixels; NaN if not measured
   * @param failed told why no picture can be drawn, once
   */
  public ReportListener(
      Path picture, List<EpochMetrics> earlier, double rawPixels, Consumer<Throwable> failed) {
    this.picture = picture;
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
    if (!drawing) {
      return;
    }
    try {
      Report.write(picture, epochs, rawPixels);
    } catch (IOException | RuntimeException | LinkageError e) {
      // A picture is not worth failing a run: fonts may be missing.
      drawing = false;
      failed.accept(e);
    }
  }
}
