package org.swav4j.sinkhorn;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A solved transport problem: {@code P = exp((scores + f + g) / epsilon)}, with the evidence.
 *
 * @param plan P [B, K], of the scores' type; sums to the marginals' mass (over all shards)
 * @param f row potentials [B], double, in the unit of the scores; -infinity where a is 0
 * @param g column potentials [K], double; -infinity where b is 0
 * @param certificate how good the plan is
 */
public record TransportPlan(INDArray plan, INDArray f, INDArray g, Certificate certificate) {}
