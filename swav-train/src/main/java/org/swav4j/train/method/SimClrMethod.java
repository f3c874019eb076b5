package org.swav4j.train.method;

import org.swav4j.model.Objective;
import org.swav4j.train.collective.Collective;

/**
 * SimCLR (Chen et al. 2020, <a href="https://arxiv.org/abs/2002.05709">arXiv 2002.05709</a>): views
 * of an image find each other among those of a batch. Its loss is {@link NtXent}; it has no targets
 * and keeps nothing. Prototypes are not used and stay as they began.
 */
public final class SimClrMethod implements Method {
  private final NtXent objective;

  /**
   * SimCLR.
   *
   * @param anchors views, from the first, that are paired with every other: 2, of the large crops
   * @param temperature τ, at least 0.02; 0.5 in the paper for CIFAR-10, 0.1 for ImageNet
   * @throws IllegalArgumentException if a number is out of range
   */
  public SimClrMethod(int anchors, double temperature) {
    this.objective = new NtXent(anchors, temperature);
  }

  @Override
  public Objective objective() {
    return objective;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException always: a worker has not the other images of the batch
   */
  @Override
  public void workers(Collective collective) {
    throw new IllegalArgumentException(
        "simclr tells the images of a batch from each other, and of "
            + collective.size()
            + " workers each has a share of them alone: train with one, or with `method` swav, whose"
            + " codes are those of the whole batch on any number of workers");
  }
}
