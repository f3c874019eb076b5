package org.swav4j.train.conformance;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The queue as training has it; this package must not know the loop that owns it. */
public interface EmbeddingMemory extends AutoCloseable {
  /** Makes an empty one. */
  @FunctionalInterface
  interface Factory {
    /**
     * An empty queue for each assigning crop.
     *
     * @param assigning A
     * @param length L, a multiple of the batch
     * @param batch B
     * @param dim D
     * @param type FLOAT or DOUBLE
     */
    EmbeddingMemory create(int assigning, int length, int batch, int dim, DataType type);
  }

  /** Whether crop i's queue has been filled and so is used. */
  boolean full(int i);

  /** Scores {@code [L + B, K]} of crop i's queue and, behind them, the batch's own. */
  INDArray scores(int i, INDArray batchScores, INDArray prototypes);

  /** Puts embeddings {@code [B, D]} in the place of the oldest ones of crop i. */
  void push(int i, INDArray embeddings);

  /** Crop i's rows {@code [L, D]}, newest batch first. */
  INDArray contents(int i);

  @Override
  void close();
}
