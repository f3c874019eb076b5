/**
 * Training, evaluation and the command line: what turns images, codes and a network into features.
 *
 * <p>The way in is {@link org.swav4j.train.SwavTrain}, the main class, or {@link
 * org.swav4j.train.loop.Trainer} from an application. Here belong the loop, optimisers, schedules,
 * the queue, evaluation, diagnostics, reports and checkpoints; not the network (org.swav4j.model),
 * the codes (org.swav4j.sinkhorn) or the images (org.swav4j.data).
 *
 * <p>An application that trains should be started with {@code OMP_WAIT_POLICY=passive} in its
 * environment, as the launcher does: idle native threads spin otherwise, and nothing in the process
 * can change that.
 *
 * <p>Letters, as in the paper: B images in a batch, V crops of each, A of them assigning, K
 * prototypes, D dimensions of an embedding, L rows in the queue.
 */
package org.swav4j.train;
