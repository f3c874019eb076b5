package org.swav4j.train.answers;

import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.features.Embedder;

/** Which of the network's outputs are taken. */
public enum Vectors {
  /** The trunk's output. */
  FEATURES,
  /** The projection head's, of unit length. */
  EMBEDDINGS;

  /** Numbers an image. */
  public int dim(SwavWeights weights) {
    return this == FEATURES ? weights.features() : weights.config().dim();
  }

  /** What computes them, from images as the encoder takes them. */
  public Embedder.Network of(SwavEncoder encoder) {
    return this == FEATURES ? encoder::features : encoder::embeddings;
  }
}
