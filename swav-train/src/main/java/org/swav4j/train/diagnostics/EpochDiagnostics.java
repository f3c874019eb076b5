package org.swav4j.train.diagnostics;

/**
 * The health of one epoch.
 *
 * @param loss mean over its steps; NaN without steps
 * @param shareOfLogK loss / ln K: 1 is the value of a network that says nothing
 * @param codeEntropy mean entropy of the codes, the part of the loss that no network can remove
 * @param divergence mean of loss - entropy, KL(code || prediction): the part that is learned
 * @param used share of the prototypes that were some image's best, of those that could have been
 * @param largest share of the images that the most popular prototype is best for; 1 / K is even
 * @param spread standard deviation of the embedding's coordinates times sqrt(D): 1 is spread evenly
 *     over the sphere, 0 all images in one point
 * @param distinct prototypes that are not a copy (cosine above 0.9999) of another
 * @param prototypes K
 */
public record EpochDiagnostics(
    double loss,
    double shareOfLogK,
    double codeEntropy,
    double divergence,
    double used,
    double largest,
    double spread,
    int distinct,
    int prototypes) {}
