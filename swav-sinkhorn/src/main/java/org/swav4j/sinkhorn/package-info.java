/**
 * Entropic optimal transport (Sinkhorn-Knopp) on ND4J, and SwAV's codes as one use of it.
 *
 * <p>Where to begin:
 *
 * <ul>
 *   <li>{@link org.swav4j.sinkhorn.NDSinkhorn}: operations on arrays, eager; codes, plans,
 *       potentials.
 *   <li>{@link org.swav4j.sinkhorn.SDSinkhorn}: the same in a SameDiff graph.
 *   <li>{@link org.swav4j.sinkhorn.SwavCodes}: what a training loop calls: fixed iterations,
 *       uniform marginals, a queue, nothing allocated.
 *   <li>{@link org.swav4j.sinkhorn.SinkhornSolver}: takes an {@link
 *       org.swav4j.sinkhorn.OptimalTransportProblem} and gives a {@link
 *       org.swav4j.sinkhorn.TransportPlan} with the evidence for its quality.
 *   <li>{@link org.swav4j.sinkhorn.Reduction}: a batch spread over workers gives the codes of the
 *       whole.
 * </ul>
 *
 * <p>Letters, as in the SwAV paper (arXiv 2006.09882) and Cuturi (arXiv 1306.0895): B samples
 * (rows), K prototypes (columns), s scores, epsilon the weight of the entropy, a and b the
 * marginals of rows and columns, f and g the dual potentials, u = exp(f/epsilon) and v =
 * exp(g/epsilon) the scalings. The plan is P = exp((s + f + g) / epsilon).
 *
 * <p>Inside: the iteration on arrays stands in {@code IterationLoop}, columns first and rows last;
 * {@code SDSinkhorn} writes the same as operations of a graph, in both forms. What the loop scales
 * differs by where the matrix lies and by its range:
 *
 * <pre>
 *                        kernel form        log domain
 * float, host memory     KernelForm         LogDomainForm      by FloatSinkhorn
 * double, host memory    DoubleSinkhorn     DoubleSinkhorn
 * any back end           KernelArrays       LogArrays          by ArraySinkhorn
 * </pre>
 *
 * <p>Belongs here: transport problems and how they are solved. Doesn't: networks, losses, queues,
 * images. Depends on {@code nd4j-api} alone, never on a back end.
 */
package org.swav4j.sinkhorn;
