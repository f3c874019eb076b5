package org.swav4j.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingListener;

/**
 * Keeps the run folder's checkpoint and weights up to date: after every epoch, and where training
 * is stopped within one. Both files are replaced whole, so there is always a good one.
 */
public final class CheckpointListener implements TrainingListener {
  private final Trainer trainer;
  private final RunFolder folder;
  private final double rawPixels;
  private long written = -1;

  /**
   * A listener that writes into a folder.
   *
   * @param rawPixels k-NN accuracy on raw pixels, which the checkpoint keeps; NaN if not measured
   */
  public CheckpointListener(Trainer trainer, RunFolder folder, double rawPixels) {
    this.trainer = trainer;
    this.folder = folder;
    this.rawPixels = rawPixels;
  }

  @Override
  public void epoch(EpochMetrics metrics) {
    if (metrics.epoch() > 0) {
      write();
    }
  }

  @Override
  public void ended() {
    if (written != trainer.done() && trainer.done() > 0) {
      write();
    }
  }

  private void write() {
    CheckpointFile.write(folder.checkpoint(), trainer.checkpoint(rawPixels));
    SwavWeights copy = trainer.weights();
    try {
      copy.save(folder.weights());
    } catch (IOException e) {
      throw new UncheckedIOException(
          folder.weights() + " can't be written: " + RunFolder.reason(e), e);
    } finally {
      copy.parameters().values().forEach(INDArray::close);
      copy.statistics().values().forEach(INDArray::close);
    }
    written = trainer.done();
  }
}
