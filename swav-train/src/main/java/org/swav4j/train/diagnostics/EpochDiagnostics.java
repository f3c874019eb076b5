package org.swav4j.train.diagnostics;

/**
 * What the inspected steps of one epoch say about its health; NaN where nothing was inspected.
 *
 * @param codeEntropy mean entropy of the codes in nats, what is left of the loss if they are
 *     predicted perfectly; ln K for codes that say nothing
 * @param divergence mean of loss - entropy in nats, KL(code || prediction): the part that gradients
 *     lower, to which codes are constants
 * @param used share of the prototypes that were some image's best, of those that could have been
 * @param largest share of the images that the most popular prototype is best for; 1 / K is even
 * @param spread standard deviation of the embedding's coordinates times sqrt(D): 1 is spread evenly
 *     over the sphere, 0 all images in one point
 * @param distinct share of the prototypes that are not a copy (cosine above 0.9999) of another, at
 *     the end of the epoch
 */
public record EpochDiagnostics(
    double codeEntropy,
    double divergence,
    double used,
    double largest,
    double spread,
    double distinct) {

  /** Of an epoch nothing is known of, such as the time before the first. */
  public static final EpochDiagnostics UNKNOWN =
      new EpochDiagnostics(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
}
