package org.swav4j.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingListener;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * Keeps the run folder's checkpoint and weights up to date: after every epoch, and where training
 * is stopped within one. Both files are replaced whole, so there is always a good one.
 */
public final class CheckpointListener implements TrainingListener {
  private final Trainer trainer;
  private final SwavWeights weights;
  private final RunFolder folder;
  private final double rawPixels;
  private long written = -1;

  public CheckpointListener(
      Trainer trainer, SwavWeights weights, RunFolder folder, double rawPixels) {
    this.trainer = trainer;
    this.weights = weights;
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
    // A step leaves the prototypes off the unit sphere and the next brings them back: the
    // checkpoint goes on from there, but whoever uses the weights wants them normalised.
    INDArray prototypes = weights.parameters().get("prototypes.weight");
    try (INDArray asTrained = prototypes.dup()) {
      new PrototypeNormaliser().normalise(prototypes);
      try {
        weights.save(folder.weights());
      } finally {
        prototypes.assign(asTrained);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          folder.weights() + " can't be written: " + RunFolder.reason(e), e);
    }
    written = trainer.done();
  }
}
