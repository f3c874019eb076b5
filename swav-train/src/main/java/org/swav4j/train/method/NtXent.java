package org.swav4j.train.method;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.Objective;
import org.swav4j.model.Views;

/**
 * SimCLR's loss, the normalised temperature-scaled cross-entropy (Chen et al. 2020, <a
 * href="https://arxiv.org/abs/2002.05709">arXiv 2002.05709</a>, equation 1). Of two views of B
 * images, each of the 2B embeddings z must find its partner among the 2B - 1 others:
 *
 * <pre>
 *   loss = 1 / 2B Σ_r ( log Σ_{k≠r} exp(z_r·z_k / τ) - z_r·z_partner(r) / τ )
 * </pre>
 *
 * <p>With more crops it is the mean over all pairs of views of which one, at least, is among the
 * first A: as in SwAV, small crops are compared with large ones and not with each other. The choice
 * of pairs is ours. Gradients flow into both views.
 */
final class NtXent implements Objective {
  /** Below it, exp((cosine - 1) / τ) of unlike embeddings is 0 in floats. */
  private static final double LOWEST_TEMPERATURE = 0.02;

  private final int anchors;
  private final double temperature;

  /**
   * @param anchors A, views that are paired with every other, from 1
   * @param temperature τ, from 0.02
   * @throws IllegalArgumentException if a number is out of range
   */
  NtXent(int anchors, double temperature) {
    if (anchors < 1 || !(temperature >= LOWEST_TEMPERATURE && temperature < 1e3)) {
      throw new IllegalArgumentException(
          "`temperature` is "
              + temperature
              + " and `assigning` "
              + anchors
              + ", expected at least "
              + LOWEST_TEMPERATURE
              + " and 1 with simclr");
    }
    this.anchors = anchors;
    this.temperature = temperature;
  }

  @Override
  public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
    if (views.count() < 2) {
      throw new IllegalArgumentException(
          "there is " + views.count() + " crop per image, expected at least 2 that form a pair");
    }
    int batch = views.batch();
    List<SDVariable> view = new ArrayList<>();
    for (int v = 0; v < views.count(); v++) {
      view.add(sd.slice(embeddings, new int[] {v * batch, 0}, batch, -1));
    }
    SDVariable others =
        sd.constant("others", Nd4j.eye(2L * batch).castTo(embeddings.dataType()).rsubi(1));
    List<SDVariable> losses = new ArrayList<>();
    for (int i = 0; i < Math.min(anchors, view.size()); i++) {
      for (int j = i + 1; j < view.size(); j++) {
        losses.add(pair(sd, view.get(i), view.get(j), others));
      }
    }
    SDVariable sum = losses.get(0);
    for (SDVariable loss : losses.subList(1, losses.size())) {
      sum = sum.add(loss);
    }
    return sum.mul(1.0 / losses.size());
  }

  /** Cosines are lowered by 1, which cancels out, so that no exponential overflows. */
  private SDVariable pair(SameDiff sd, SDVariable first, SDVariable second, SDVariable others) {
    SDVariable both = sd.concat(0, first, second);
    SDVariable cosines = sd.mmul(both, both, false, true, false);
    SDVariable likeness = sd.math().exp(cosines.sub(1).mul(1 / temperature)).mul(others);
    SDVariable all = sd.math().log(likeness.sum(1)).mean();
    SDVariable partners = first.mul(second).sum(1).mean().sub(1).mul(1 / temperature);
    return all.sub(partners);
  }
}
