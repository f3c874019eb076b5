package org.swav4j.sinkhorn;

/**
 * What a solver hands back: {@code P = exp((scores + f + g) / epsilon)} with f [B], g [K] in the
 * unit of the scores.
 */
record Potentials(double[] f, double[] g, IterationLoop.Ending ending, boolean logDomain) {}
