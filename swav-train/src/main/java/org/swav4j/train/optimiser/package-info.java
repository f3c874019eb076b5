/**
 * What happens to the parameters once the gradients are known: SGD with momentum, LARS, the
 * learning rate over time, and the return of the prototypes to the unit sphere.
 *
 * <p>Everything works in place on the arrays of the network and allocates nothing per step after
 * the first. Which parameters are frozen the method decides; their gradients are left out.
 */
package org.swav4j.train.optimiser;
