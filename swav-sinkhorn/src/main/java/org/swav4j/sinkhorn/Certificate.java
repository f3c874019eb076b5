package org.swav4j.sinkhorn;

import java.util.List;

/**
 * What a plan's quality rests on; computed in double from the plan itself, not from the solver's
 * state.
 *
 * @param rowResidual L1 distance of the plan's row sums from a, over all shards
 * @param columnResidual L1 distance of the plan's column sums from b
 * @param transportCost {@code <P, C>}, that is minus the mean score under the plan
 * @param entropy {@code H(P) = -sum P ln P}, nats
 * @param dualityGap objective of the nearest feasible plan (P rounded onto the marginals,
 *     Altschuler et al., arXiv 1705.09634, algorithm 2) minus the dual value of the potentials. It
 *     bounds from above how far that plan is from the optimum; never negative but for rounding, 0
 *     at the optimum
 * @param iterations column-and-row updates made
 * @param converged whether the tolerance was met; with a fixed number of iterations, always true
 * @param errors L1 distance of the column sums from b after each iteration, if a tolerance was
 *     asked for; else empty. Immutable
 * @param logDomain whether the log domain was used because the kernel form would have lost accuracy
 */
public record Certificate(
    double rowResidual,
    double columnResidual,
    double transportCost,
    double entropy,
    double dualityGap,
    int iterations,
    boolean converged,
    List<Double> errors,
    boolean logDomain) {}
