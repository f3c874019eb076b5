package org.swav4j.train.advice;

/**
 * What a stretch of steps says about a run's health; means over the steps that were looked into.
 *
 * @param step steps completed at its end
 * @param loss in nats
 * @param codeEntropy of the codes, in nats
 * @param spread of the embeddings, see {@link org.swav4j.train.diagnostics.EpochDiagnostics#spread}
 * @param likeness cosine of the embeddings of the first two crops of an image
 * @param largestScore the largest magnitude among the scores, which are cosines
 * @param offSphere by how much the prototypes' lengths differ from 1 in the last step, on average
 * @param movement of the trunk's first weights since the stretch began, as a share of their norm
 * @param contrast standard deviation of the pixels within a crop, normalised as they are
 */
public record Vitals(
    long step,
    double loss,
    double codeEntropy,
    double spread,
    double likeness,
    double largestScore,
    double offSphere,
    double movement,
    double contrast) {}
