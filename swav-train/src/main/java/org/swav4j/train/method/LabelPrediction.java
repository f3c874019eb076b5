package org.swav4j.train.method;

import java.util.Collections;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.swav4j.model.Objective;
import org.swav4j.model.Views;

/**
 * Cross-entropy of every crop with a target of its image:
 *
 * <pre>
 *   loss = -1 / (V B) Σ_v Σ_n Σ_k t[n,k] log softmax(z_v[n]·c_k / τ)
 * </pre>
 *
 * <p>c are the prototypes, and the target t {@code [B, K]} is filled in each step. With H heads, H
 * sets of K prototypes one below the other, it is the mean of their losses; targets then are {@code
 * [B, H·K]}, head by head.
 */
final class LabelPrediction implements Objective {
  /** Name of the placeholder for the targets: {@code [B, H·K]}; a head's K numbers sum to 1. */
  static final String TARGETS = "targets";

  private final int heads;
  private final double temperature;

  /**
   * @param temperature τ, above 0
   */
  LabelPrediction(double temperature) {
    this(1, temperature);
  }

  /**
   * @param heads H, of which the prototypes are a multiple
   * @param temperature τ, above 0
   */
  LabelPrediction(int heads, double temperature) {
    this.heads = heads;
    this.temperature = temperature;
  }

  @Override
  public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
    SDVariable prototypes = sd.getVariable(SwavMethod.PROTOTYPES);
    SDVariable scores = sd.mmul(embeddings, prototypes, false, true, false);
    SDVariable targets =
        sd.placeHolder(TARGETS, scores.dataType(), views.batch(), prototypes.getShape()[0]);
    SDVariable[] each = Collections.nCopies(views.count(), targets).toArray(SDVariable[]::new);
    SDVariable all = each.length == 1 ? targets : sd.concat(0, each);
    int rows = views.rows() * heads;
    if (heads > 1) {
      long k = prototypes.getShape()[0] / heads;
      scores = scores.reshape(rows, k);
      all = all.reshape(rows, k);
    }
    SDVariable logP = sd.nn().logSoftmax(scores.mul(1 / temperature));
    return all.mul(logP).sum().mul(-1.0 / rows);
  }
}
