package org.swav4j.train.method;

import org.swav4j.model.Objective;

/**
 * Learning nothing, as a measure of what features are worth without: the weights stay as they were
 * drawn, and only the running statistics of batch norm settle on the images.
 */
public final class RandomMethod implements Method {
  /** Any loss at all, since no parameter follows it. */
  @Override
  public Objective objective() {
    return (sd, embeddings, views) -> sd.math().square(embeddings).mean();
  }

  @Override
  public boolean trains(String parameter, long number) {
    return false;
  }

  /** True: nothing depends on the batch. */
  @Override
  public boolean allowsParts() {
    return true;
  }
}
