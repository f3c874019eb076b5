package org.swav4j.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingListener;

/**
 * Keeps the run folder's checkpoint and weights up to date: after every epoch, and where training
 * is stopped within one; and beside them the weights after the epoch of the highest RankMe so far,
 * where that is measured. All files are replaced whole, so there is always a good one.
 */
public final class CheckpointListener implements TrainingListener {
  private final Trainer trainer;
  private final RunFolder folder;
  private final double rawPixels;
  private double highest;
  private long written = -1;

  /**
   * A listener that writes into a folder.
   *
   * @param rawPixels k-NN accuracy on raw pixels, which the checkpoint keeps; NaN if not measured
   * @param before epochs of a run that goes on
   */
  public CheckpointListener(
      Trainer trainer, RunFolder folder, double rawPixels, List<EpochMetrics> before) {
    this.trainer = trainer;
    this.folder = folder;
    this.rawPixels = rawPixels;
    best(before).ifPresent(e -> highest = e.features().rankMe());
  }

  /** The trained epoch of the highest RankMe; empty if that was measured of none. */
  public static Optional<EpochMetrics> best(List<EpochMetrics> epochs) {
    return epochs.stream()
        .filter(e -> e.epoch() > 0 && e.features().rankMe() > 0)
        .max(Comparator.comparingDouble(e -> e.features().rankMe()));
  }

  @Override
  public void epoch(EpochMetrics metrics) {
    if (metrics.epoch() > 0) {
      boolean best = metrics.features().rankMe() > highest;
      write(best);
      if (best) {
        highest = metrics.features().rankMe();
      }
    }
  }

  @Override
  public void ended() {
    if (written != trainer.done() && trainer.done() > 0) {
      write(false);
    }
  }

  private void write(boolean best) {
    CheckpointFile.write(folder.checkpoint(), trainer.checkpoint(rawPixels));
    SwavWeights copy = trainer.weights();
    try {
      save(copy, folder.weights());
      if (best) {
        save(copy, folder.best());
      }
    } finally {
      copy.parameters().values().forEach(INDArray::close);
      copy.statistics().values().forEach(INDArray::close);
    }
    written = trainer.done();
  }

  private static void save(SwavWeights weights, Path file) {
    try {
      weights.save(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " can't be written: " + RunFolder.reason(e), e);
    }
  }
}
