package org.swav4j.sinkhorn;

/**
 * What an engine hands back: {@code P = exp((scores + f + g) / epsilon)} with f [B], g [K] in the
 * unit of the scores.
 */
record Potentials(double[] f, double[] g, int iterations, boolean converged, boolean logDomain) {}
