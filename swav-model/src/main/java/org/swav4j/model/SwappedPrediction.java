package org.swav4j.model;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * SwAV's objective: scores = embeddings · prototypesᵀ, from which each crop's codes are to be
 * predicted ({@link SwavLoss}). The method reads {@code scores [V·B, K]} after the forward half and
 * fills {@code codes [A·B, K]}, the codes of crops 0 to A-1.
 *
 * <p>With H heads there are H sets of K prototypes, one below the other in {@code
 * prototypes.weight}; scores and codes then have H·K columns, head by head, and the loss is the
 * mean over heads.
 */
public final class SwappedPrediction implements Objective {
  /** Name of the scores: {@code [V·B, K]}, cosines if the prototypes have unit length. */
  public static final String SCORES = "scores";

  /** Name of the placeholder for the codes: {@code [A·B, K]}. */
  public static final String CODES = "codes";

  private final int assigning;
  private final double temperature;
  private final int heads;

  /**
   * The objective with one head.
   *
   * @param assigning A, crops that have codes: from 1 to V, usually 2
   * @param temperature τ, above 0, usually 0.1
   */
  public SwappedPrediction(int assigning, double temperature) {
    this(assigning, temperature, 1);
  }

  /**
   * The objective.
   *
   * @param assigning A, crops that have codes: from 1 to V, usually 2
   * @param temperature τ, above 0, usually 0.1
   * @param heads H, of which the number of prototypes is a multiple
   */
  public SwappedPrediction(int assigning, double temperature, int heads) {
    this.assigning = assigning;
    this.temperature = temperature;
    this.heads = heads;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if there are fewer than two crops, or a number is out of range
   */
  @Override
  public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
    SwavLoss.check(views, assigning, temperature);
    SDVariable prototypes = sd.getVariable(ParameterShapes.PROTOTYPES);
    SDVariable scores = sd.mmul(SCORES, embeddings, prototypes, false, true, false);
    SDVariable codes =
        sd.placeHolder(
            CODES, scores.dataType(), (long) assigning * views.batch(), prototypes.getShape()[0]);
    if (heads == 1) {
      return SwavLoss.of(scores, codes, views, assigning, temperature);
    }
    // Row by row, a crop's heads are as many samples of one head.
    Views samples = new Views(views.groups(), views.batch() * heads);
    long k = prototypes.getShape()[0] / heads;
    return SwavLoss.of(
        scores.reshape(samples.rows(), k),
        codes.reshape((long) assigning * samples.batch(), k),
        samples,
        assigning,
        temperature);
  }

  @Override
  public List<String> reads() {
    return List.of(SCORES);
  }
}
