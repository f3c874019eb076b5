/**
 * Workers that train one network together: each has its own share of every batch, and sums over all
 * of them. {@link org.swav4j.train.collective.Collective} is the seam; one process and threads of
 * one process are here, a network of machines is an implementation of two sums, a maximum and a
 * gathering of rows, and a second lane of them for the sums of gradients during the backward pass.
 */
package org.swav4j.train.collective;
