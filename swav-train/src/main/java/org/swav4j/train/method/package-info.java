/**
 * Methods of learning without labels, what each computes between the forward and the backward pass,
 * and the state it keeps. {@link org.swav4j.train.method.Method} is the seam; {@link
 * org.swav4j.train.method.SwavMethod} is SwAV. A loss alone is an {@link
 * org.swav4j.model.Objective}; the loop that drives both is {@code org.swav4j.train.loop}.
 *
 * <p>Letters, as in the paper: B images in a batch, V crops of each, A of them assigning, K
 * prototypes, D dimensions of an embedding, L rows in the queue.
 */
package org.swav4j.train.method;
