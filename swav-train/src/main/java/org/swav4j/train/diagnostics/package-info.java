/**
 * What the numbers of a run say about its health: is it learning, has it collapsed. Pure
 * computation on arrays; prints nothing.
 *
 * <p>Letters: B rows per batch, K prototypes, D features, V crops, A of them assigning. Losses and
 * entropies are in nats.
 */
package org.swav4j.train.diagnostics;
