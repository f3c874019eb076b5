/**
 * Entropic optimal transport (Sinkhorn-Knopp) on ND4J, and SwAV's codes as one use of it.
 *
 * <p>An {@link org.swav4j.sinkhorn.OptimalTransportProblem} goes into a {@link
 * org.swav4j.sinkhorn.SinkhornSolver}, a {@link org.swav4j.sinkhorn.TransportPlan} with the
 * evidence for its quality comes out. {@link org.swav4j.sinkhorn.SwavCodes} is the form a training
 * loop calls: fixed iterations, uniform marginals, nothing allocated. A batch spread over workers
 * gives the codes of the whole through a {@link org.swav4j.sinkhorn.Reduction}.
 *
 * <p>Letters, as in the SwAV paper (arXiv 2006.09882) and Cuturi (arXiv 1306.0895): B samples
 * (rows), K prototypes (columns), s scores, epsilon the weight of the entropy, a and b the
 * marginals of rows and columns, f and g the dual potentials, u = exp(f/epsilon) and v =
 * exp(g/epsilon) the scalings. The plan is P = exp((s + f + g) / epsilon).
 *
 * <p>Belongs here: transport problems and how they are solved. Doesn't: networks, losses, queues,
 * images. Depends on {@code nd4j-api} alone, never on a back end.
 */
package org.swav4j.sinkhorn;
